-- The shards that know an id: the one whose range it is in, or all, the one that decides first.
create or replace function pgwallet_router._shards_of(p_id bigint)
returns setof integer
language sql
stable
as $function$
  select s.shard
  from pgwallet_router._shard_of_account(p_id) as o (shard)
  inner join generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
    on s.shard = coalesce(o.shard, s.shard)
  order by s.shard <> pgwallet_router._home_of_project(p_id), s.shard
$function$;
