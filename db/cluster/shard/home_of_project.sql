-- The shard that decides how a project ends, as _home_of_project says on a router.
create or replace function pgwallet_shard.home_of_project(
  p_project_id bigint,
  p_shard_count integer
)
returns integer
language sql
immutable
set search_path = pg_catalog, pg_temp
as $function$
  select case
    when p_project_id >> 45 = 0 then 0
    else ((p_project_id >> 10) % p_shard_count)::integer
  end
$function$;
