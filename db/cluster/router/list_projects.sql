-- Projects in the order of their ids, each as its home has it.
create or replace function pgwallet.list_projects(
  p_status text default null,
  p_after_project_id bigint default 0,
  p_limit integer default 100
)
returns table (
  project_id bigint, reference text, currency text, status text,
  commission_rate numeric, fee_rate numeric, fee_fixed numeric, max_pledge numeric
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select
    r.project_id, r.reference, r.currency, r.status, r.commission_rate, r.fee_rate,
    r.fee_fixed, r.max_pledge
  from pgwallet_remote.list_home_projects_all(p_status, p_after_project_id, p_limit) as r
  where r.error is null or pgwallet_router._raise(r.error)
  order by r.project_id
  -- A limit that shards refuse must not keep their refusals from being read.
  limit greatest(p_limit, 1);
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
