-- The shard that a project is made on first, and asked for: that of the hash of its reference, but
-- the first where it was a ledger before and has the project since then.
create or replace function pgwallet_router._home_of_reference(p_reference text)
returns integer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_home integer := pgwallet_router._home_of(p_reference);
  v_is_there boolean;
begin
  if v_home = 0 or not pgwallet_router._has_adopted() then
    return v_home;
  end if;
  select r.result into v_is_there
  from pgwallet_remote.has_reference(0, p_reference) as r
  where r.error is null or pgwallet_router._raise(r.error);
  return case when v_is_there then 0 else v_home end;
end;
$function$;
