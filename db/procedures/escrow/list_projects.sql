-- Projects in the order of their ids, in pages along an index, without what was pledged to them.
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
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
declare
  v_status text collate "C" := p_status;
begin
  if v_status is not null and v_status not in ('open', 'succeeded', 'failed') then
    raise exception using
      errcode = 'PW002',
      message = format('status %L is unknown', left(v_status, 200)),
      detail = 'A project is open, succeeded or failed.',
      hint = 'Leave it out for all of them.';
  end if;
  perform pgwallet._check_limit(p_limit);
  return query
  select
    p.project_id, p.reference, p.currency, p.status::text,
    p.commission_rate, p.fee_rate, p.fee_fixed, p.max_pledge
  from pgwallet.project as p
  where p.project_id > coalesce(p_after_project_id, 0)
    and (v_status is null or p.status = v_status)
  order by p.project_id
  limit p_limit;
end;
$function$;

comment on function pgwallet.list_projects(text, bigint, integer) is
'Projects in the order of their ids. Raises: PW002.';
