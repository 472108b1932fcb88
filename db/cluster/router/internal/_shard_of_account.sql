-- The shard of an account; null for one that is on all shards. Below all ranges ids of slot 0 are
-- of those, and of some that the first shard had before there was a cluster: it is asked then.
create or replace function pgwallet_router._shard_of_account(p_account_id bigint)
returns integer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_is_on_all boolean;
begin
  if p_account_id >> 46 <> 0 or p_account_id % 1024 <> 0 or not pgwallet_router._has_adopted() then
    return pgwallet_router._shard_of(p_account_id);
  end if;
  -- Drawn by the cluster.
  if p_account_id >> 45 <> 0 then
    return null;
  end if;
  select r.result into v_is_on_all
  from pgwallet_remote.is_on_all(0, p_account_id) as r
  where r.error is null or pgwallet_router._raise(r.error);
  return case when not v_is_on_all then 0 end;
end;
$function$;
