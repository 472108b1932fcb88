-- What was in an account at a time: on its shard, or on all together where it is on each.
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
  v_balance numeric;
begin
  select sum(r.result) into v_balance
  from pgwallet_router._shards_of(p_account_id) as s (shard)
  cross join lateral pgwallet_remote.balance_at(s.shard, p_account_id, p_at, p_by) as r
  where r.error is null or pgwallet_router._raise(r.error);
  return v_balance;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
