-- Sets how far below 0 an account may go: that of a project on its home alone, which pays for it.
create or replace function pgwallet.set_credit_limit(p_account_id bigint, p_credit_limit numeric)
returns table (account_id bigint, credit_limit numeric, balance numeric)
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
  from pgwallet_remote.set_credit_limit(v_home, p_account_id, p_credit_limit) as r
  where r.error is null or pgwallet_router._raise(r.error);
  return query
  select
    v_account.account_id, v_account.credit_limit,
    case when v_shard is null then pgwallet.balance(p_account_id) else v_account.balance end;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
