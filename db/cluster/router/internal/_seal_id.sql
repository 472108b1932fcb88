-- The id of a shard's seal on the router: shards count theirs from 1, each its own, so the shard
-- goes where other ids have it.
create or replace function pgwallet_router._seal_id(p_shard integer, p_seal_id bigint)
returns bigint
language sql
immutable
as $function$
  select ((p_shard + 1)::bigint << 46) + p_seal_id
$function$;
