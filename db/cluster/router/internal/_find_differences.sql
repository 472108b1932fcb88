-- Finds what shards have to agree on and do not, and wallets that are on a wrong one: a part of
-- check_ledger. What a call is changing just now is looked at once more.
create or replace function pgwallet_router._find_differences()
returns table (invariant integer, subject text, detail text)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_subjects text[];
begin
  select array_agg(c.subject) into v_subjects from pgwallet_router._compare_shards() as c;
  if v_subjects is not null then
    perform pg_sleep(0.5);
    return query
    select 8, c.subject, c.detail
    from pgwallet_router._compare_shards() as c
    where c.subject = any (v_subjects);
  end if;

  return query
  select
    8, format('plan %s', r.plan_id),
    format('The call %s with key %L was not completed.', r.request, r.idempotency_key)
  from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
  cross join lateral pgwallet_remote.list_left_plans(s.shard, interval '1 minute') as r
  where r.error is null or pgwallet_router._raise(r.error);

  return query
  select 8, t.subject, t.detail
  from pgwallet_router._find_transit() as t;

  return query
  select 8, r.subject, r.detail
  from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
  cross join lateral pgwallet_remote.find_strays(s.shard) as r
  where r.error is null or pgwallet_router._raise(r.error);
end;
$function$;
