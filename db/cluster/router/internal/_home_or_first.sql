-- The shard of an owner's wallets, or of the project of a reference, which is made there first and
-- asked for: that of the name, but the first where it was a ledger before and has it since then.
create or replace function pgwallet_router._home_or_first(p_owner_id text, p_reference text)
returns integer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_home integer := pgwallet_router._home_of(coalesce(p_owner_id, p_reference));
  v_is_there boolean;
begin
  if v_home = 0 or not pgwallet_router._has_adopted() then
    return v_home;
  end if;
  select r.result into v_is_there
  from pgwallet_remote.has_before(0, p_owner_id, p_reference) as r
  where r.error is null or pgwallet_router._raise(r.error);
  return case when v_is_there then 0 else v_home end;
end;
$function$;
