-- What a shard calls a seal that has an id of the router; null is null.
create or replace function pgwallet_router._seal_of_shard(p_seal_id bigint)
returns bigint
language sql
immutable
as $function$
  select p_seal_id & ((1::bigint << 46) - 1)
$function$;
