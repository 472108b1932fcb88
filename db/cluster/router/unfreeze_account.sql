-- Lets money leave a frozen wallet or project again, a project on all shards, home first.
-- The same call again completes what was broken off.
create or replace function pgwallet.unfreeze_account(p_account_id bigint, p_reason text)
returns table (account_id bigint, frozen boolean, frozen_at timestamptz)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_shard integer := pgwallet_router._shard_of_account(p_account_id);
  v_home integer := coalesce(v_shard, pgwallet_router._home_of_project(p_account_id));
  v_account record;
begin
  perform pgwallet_router._begin_call();
  select r.* into v_account
  from pgwallet_remote.unfreeze_account(v_home, p_account_id, p_reason) as r
  where r.error is null or pgwallet_router._raise(r.error);
  if v_shard is null then
    perform pgwallet_router._call_each(
      array(select pgwallet_router._others(v_home)),
      format(
        'select r.error from pgwallet_remote.unfreeze_account($1, %L, %L, p_caller => null) as r',
        p_account_id, p_reason
      )
    );
  end if;
  return query select v_account.account_id, v_account.frozen, v_account.frozen_at;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
