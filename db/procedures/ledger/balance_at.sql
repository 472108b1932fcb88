-- What was in an account at a time: all postings recorded until then, or all that had happened by
-- then, as far as is known today.
create or replace function pgwallet.balance_at(
  p_account_id bigint,
  p_at timestamptz,
  p_by text default 'recorded'
)
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
  perform pgwallet._check_by(p_by);
  select a.* into v_account from pgwallet.account as a where a.account_id = p_account_id;
  if not found then
    perform pgwallet._refuse_missing('account', p_account_id);
  end if;

  v_balance := case p_by
    when 'recorded' then pgwallet._sum_recorded(v_account, p_at)
    else pgwallet._sum_effective(v_account, p_at)
  end;
  return round(v_balance, pgwallet._find_exponent(v_account.currency));
end;
$function$;

comment on function pgwallet.balance_at(bigint, timestamptz, text) is
'What was in an account at a time, in major units. Raises: PW002, PW105.';
