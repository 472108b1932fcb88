-- What the postings come to that were recorded in an account until a time.
create or replace function pgwallet._sum_recorded(p_account pgwallet.account, p_at timestamptz)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  -- A clock that was set back puts times out of order, so seeking keeps its distance.
  c_distance constant interval := interval '1 hour';
  v_from bigint;
  v_below bigint;
  v_balance numeric;
begin
  if p_account.balance is null then
    select sum(
      case when p.destination_account_id = p_account.account_id then p.amount else -p.amount end
    )
    into v_balance
    from pgwallet.posting as p
    where (
        p.source_account_id = p_account.account_id
        or p.destination_account_id = p_account.account_id
      )
      and p.created_at <= p_at;
    return coalesce(v_balance, 0);
  end if;

  -- Whatever has a smaller id was recorded earlier: its last posting carries what it came to.
  v_from := pgwallet._seek_posting(p_account.account_id, p_at - c_distance);
  v_below := pgwallet._seek_posting(p_account.account_id, p_at + c_distance);
  return pgwallet._carried_balance(p_account.account_id, v_from)
    + pgwallet._sum_movements(p_account.account_id, v_from, v_below, p_at);
end;
$function$;
