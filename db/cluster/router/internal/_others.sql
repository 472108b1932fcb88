-- All shards but one.
create or replace function pgwallet_router._others(p_shard integer)
returns setof integer
language sql
immutable
as $function$
  select s.shard
  from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
  where s.shard <> p_shard
$function$;
