-- Ends a project on all shards. Its home decides, so that of two calls at once with other outcomes
-- one wins everywhere; the others follow. The same call again completes what was broken off; until
-- then a shard that was not reached still takes pledges, which are settled with the rest.
create or replace function pgwallet.close_project(p_project_id bigint, p_outcome text)
returns table (
  project_id bigint, reference text, currency text, status text,
  commission_rate numeric, fee_rate numeric, fee_fixed numeric, max_pledge numeric
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_home integer := pgwallet_router._home_of_project(p_project_id);
  v_project record;
begin
  perform pgwallet_router._begin_call();
  select p.* into v_project
  from pgwallet_remote.close_project(v_home, p_project_id, p_outcome) as p
  where p.error is null or pgwallet_router._raise(p.error);
  perform pgwallet_router._call_each(
    array(select pgwallet_router._others(v_home)),
    format(
      'select r.error from pgwallet_remote.close_project($1, %L, %L, p_caller => null) as r',
      p_project_id, p_outcome
    )
  );

  return query
  select
    v_project.project_id, v_project.reference, v_project.currency, v_project.status,
    v_project.commission_rate, v_project.fee_rate, v_project.fee_fixed, v_project.max_pledge;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
