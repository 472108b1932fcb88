-- Finds what is in transit while no call is under way: a part of check_ledger. The shards are read
-- one after another, so what is found counts only if no plan began or ended meanwhile; where there
-- is always one, it is told by its plan once that was left.
create or replace function pgwallet_router._find_transit()
returns table (subject text, detail text)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_before bigint[];
  v_after bigint[];
  v_found jsonb;
begin
  for v_look in 1 .. 5 loop
    if v_look > 1 then
      perform pg_sleep(0.2);
    end if;
    select array[sum(r.plan_count), sum(r.open_count)] into v_before
    from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
    cross join lateral pgwallet_remote.count_plans(s.shard) as r
    where r.error is null or pgwallet_router._raise(r.error);

    select jsonb_object_agg(c.currency, c.balance) into v_found
    from (
      select r.currency, sum(r.balance) as balance
      from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
      cross join lateral pgwallet_remote.show_transit(s.shard) as r
      where r.error is null or pgwallet_router._raise(r.error)
      group by r.currency
      having sum(r.balance) <> 0
    ) as c;
    exit when v_found is null;

    select array[sum(r.plan_count), sum(r.open_count)] into v_after
    from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
    cross join lateral pgwallet_remote.count_plans(s.shard) as r
    where r.error is null or pgwallet_router._raise(r.error);
    if v_before = v_after and v_before[2] = 0 then
      return query
      select
        format('transit in %s', f.key),
        format('%s is on its way between shards, and no call has sent it.', f.value)
      from jsonb_each_text(v_found) as f
      order by f.key;
      exit;
    end if;
  end loop;
end;
$function$;
