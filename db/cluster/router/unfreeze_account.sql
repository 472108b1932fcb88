-- Lets money leave a frozen wallet or project again, a project on all shards, home first.
-- The same call again completes what was broken off.
create or replace function pgwallet.unfreeze_account(p_account_id bigint, p_reason text)
returns table (account_id bigint, frozen boolean, frozen_at timestamptz)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_home integer := coalesce(
    pgwallet_router._shard_of(p_account_id), pgwallet_router._home_of_project(p_account_id)
  );
  v_account record;
  v_shard integer;
  v_failed text[] := '{}';
begin
  perform pgwallet_router._begin_call();
  select r.* into v_account
  from pgwallet_remote.unfreeze_account(v_home, p_account_id, p_reason) as r
  where r.error is null or pgwallet_router._raise(r.error);
  if pgwallet_router._shard_of(p_account_id) is null then
    for v_shard in select o.shard from pgwallet_router._others(v_home) as o (shard) loop
      begin
        perform
        from pgwallet_remote.unfreeze_account(v_shard, p_account_id, p_reason) as r
        where r.error is null or pgwallet_router._raise(r.error);
      exception when others then
        if pgwallet_router._failure_of(sqlstate, sqlerrm) is null then
          raise;
        end if;
        v_failed := v_failed || format(
          '%s %s', v_shard, pgwallet_router._failure_of(sqlstate, sqlerrm)
        );
      end;
    end loop;
    perform pgwallet_router._refuse_failed(v_failed);
  end if;
  return query select v_account.account_id, v_account.frozen, v_account.frozen_at;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
