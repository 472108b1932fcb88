-- Whether another call is about to take, or to give back, what p_part names: a plan that is neither
-- done nor undone has such a part.
create or replace function pgwallet_router._is_under_way(p_part jsonb)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  return exists (
    select
    from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
    cross join lateral pgwallet_remote.list_left_plans(s.shard, interval '0') as r
    where (r.error is null or pgwallet_router._raise(r.error))
      and r.parts @> jsonb_build_array(p_part)
  );
end;
$function$;
