-- What was in an account at a time: all postings recorded until then.
create or replace function pgwallet.balance_at(p_account_id bigint, p_at timestamptz)
returns numeric
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_account pgwallet.account;
  v_balance numeric;
begin
  if p_at is null then
    raise exception using
      errcode = 'PW002',
      message = 'the time is null',
      detail = 'A balance is that of a time.',
      hint = 'Pass a time, or call balance.';
  end if;
  perform pgwallet._check_time('the time', p_at);
  select a.* into v_account from pgwallet.account as a where a.account_id = p_account_id;
  if not found then
    perform pgwallet._refuse_missing('account', p_account_id);
  end if;

  if v_account.balance is not null then
    -- The last posting until then carries the balance; found from the newest backwards.
    select x.balance
    into v_balance
    from (
      (
        select p.posting_id, p.source_balance as balance
        from pgwallet.posting as p
        where p.source_account_id = p_account_id and p.source_balance is not null
          and p.created_at <= p_at
        order by p.posting_id desc
        limit 1
      )
      union all
      (
        select p.posting_id, p.destination_balance
        from pgwallet.posting as p
        where p.destination_account_id = p_account_id and p.destination_balance is not null
          and p.created_at <= p_at
        order by p.posting_id desc
        limit 1
      )
    ) as x
    order by x.posting_id desc
    limit 1;
  else
    select sum(case when p.destination_account_id = p_account_id then p.amount else -p.amount end)
    into v_balance
    from pgwallet.posting as p
    where (p.source_account_id = p_account_id or p.destination_account_id = p_account_id)
      and p.created_at <= p_at;
  end if;
  return round(coalesce(v_balance, 0), pgwallet._find_exponent(v_account.currency));
end;
$function$;

comment on function pgwallet.balance_at(bigint, timestamptz) is
'What was in an account at a time, in major units. Raises: PW002, PW105.';
