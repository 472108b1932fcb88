-- The shard that decides how a project ends.
create or replace function pgwallet_router._home_of_project(p_project_id bigint)
returns integer
language sql
immutable
as $function$
  select coalesce(((p_project_id >> 10) % pgwallet_router._shard_count())::integer, 0)
$function$;
