-- Sets how far below 0 the balance of a wallet or project may go when money leaves it; 0 ends it.
-- The same limit once more changes nothing.
--
-- Locks: the account, so that nothing is taken on credit meanwhile.
create or replace function pgwallet.set_credit_limit(p_account_id bigint, p_credit_limit numeric)
returns table (account_id bigint, credit_limit numeric, balance numeric)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_kind pgwallet.account_kind;
  v_account pgwallet.account;
  v_limit numeric;
begin
  if (p_credit_limit >= 0 and p_credit_limit < 1000000000000000) is not true then
    raise exception using
      errcode = 'PW001',
      message = format('credit limit %s is not valid', coalesce(p_credit_limit::text, 'null')),
      detail = 'It is a number from 0 up and below 1000000000000000, in major units.',
      hint = 'Pass how much the account may owe, such as 500.00, or 0 for nothing.';
  end if;
  v_kind := pgwallet._check_holder(p_account_id);
  if v_kind = 'project' then
    perform pgwallet._check_alone('the credit limit of a project');
  end if;
  perform pgwallet._check_account(v_kind, p_account_id, p_credit_limit);

  select a.* into v_account
  from pgwallet.account as a where a.account_id = p_account_id
  for no key update;
  v_limit := round(p_credit_limit, scale(v_account.balance));
  if v_account.closed_at is not null then
    perform pgwallet._refuse_closed_account(v_kind::text, p_account_id, v_account.closed_at);
  end if;
  if v_account.balance < -v_limit then
    raise exception using
      errcode = 'PW201',
      message = format('%s %s owes more than that limit', v_kind, p_account_id),
      detail = format(
        'Its balance is %s, its credit %s, the new limit %s.',
        v_account.balance, v_account.credit_limit, v_limit
      ),
      hint = format('Set at least %s, or have it paid in first.', -v_account.balance);
  end if;

  if v_account.credit_limit <> v_limit then
    update pgwallet.account as a set credit_limit = v_limit where a.account_id = p_account_id;
    perform pgwallet._insert_event(
      'set_credit_limit', p_account_id,
      jsonb_build_object('credit_limit', v_account.credit_limit),
      jsonb_build_object('credit_limit', v_limit)
    );
  end if;

  return query select p_account_id, v_limit, v_account.balance;
end;
$function$;

comment on function pgwallet.set_credit_limit(bigint, numeric) is
'Sets how far below 0 a wallet or project may go. Raises: PW001, PW105, PW201, PW209.';
