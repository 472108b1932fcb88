-- The shard that decides how a project ends. Ids that callers bring along, and those from before
-- there was a cluster, are below 2^45.
create or replace function pgwallet_router._home_of_project(p_project_id bigint)
returns integer
language sql
immutable
as $function$
  select case
    when p_project_id >> 45 = 0 then 0
    else coalesce(((p_project_id >> 10) % pgwallet_router._shard_count())::integer, 0)
  end
$function$;
