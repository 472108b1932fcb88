-- What is in an account, in major units: on its shard, or on all together where it is on each.
create or replace function pgwallet.balance(p_account_id bigint)
returns numeric
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_shard integer := pgwallet_router._shard_of_account(p_account_id);
  v_balance numeric;
begin
  if v_shard is not null then
    select b.result into v_balance
    from pgwallet_remote.balance(v_shard, p_account_id) as b
    where b.error is null or pgwallet_router._raise(b.error);
  else
    select sum(b.result) into v_balance
    from pgwallet_remote.balance_all(p_account_id) as b
    where b.error is null or pgwallet_router._raise(b.error);
  end if;
  return v_balance;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
