-- The shard that decides about a name: where a new owner's wallets go, where a project is made
-- first, where the plan of a key is.
create or replace function pgwallet_router._home_of(p_name text)
returns integer
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return coalesce(pgwallet._slot_of(p_name) % pgwallet_router._shard_count(), 0);
end;
$function$;
