-- The shard of an owner's wallets: that of the owner's slot, but the first where it was a ledger
-- before and has the owner since then.
create or replace function pgwallet_router._home_of_owner(p_owner_id text)
returns integer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_home integer := pgwallet_router._home_of(p_owner_id);
  v_is_there boolean;
begin
  if v_home = 0 or not pgwallet_router._has_adopted() then
    return v_home;
  end if;
  select r.result into v_is_there
  from pgwallet_remote.has_owner(0, p_owner_id) as r
  where r.error is null or pgwallet_router._raise(r.error);
  return case when v_is_there then 0 else v_home end;
end;
$function$;
