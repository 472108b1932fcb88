-- Makes a project on all shards under one id. The home of its reference comes first: it draws the
-- id and fixes the terms, which the others are told. The same call again completes what was broken
-- off.
create or replace function pgwallet.create_project(
  p_reference text,
  p_currency text default 'EUR',
  p_commission_rate numeric default null,
  p_fee_rate numeric default null,
  p_max_pledge numeric default null,
  p_project_id bigint default null,
  p_fee_fixed numeric default null
)
returns table (
  project_id bigint, reference text, currency text, status text,
  commission_rate numeric, fee_rate numeric, fee_fixed numeric, max_pledge numeric
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_home integer := pgwallet_router._home_or_first(null, p_reference);
  v_drawn_id bigint;
  v_project record;
begin
  perform pgwallet_router._begin_call();
  if p_project_id is not null then
    perform pgwallet._check_operator('p_project_id');
  end if;

  select d.result into v_drawn_id
  from pgwallet_remote.draw_project_id(v_home, p_reference) as d
  where d.error is null or pgwallet_router._raise(d.error);
  select p.* into v_project
  from pgwallet_remote._open_project(
    v_home, p_reference, p_currency, p_commission_rate, p_fee_rate, p_max_pledge, p_project_id,
    p_fee_fixed, coalesce(p_project_id, v_drawn_id)
  ) as p
  where p.error is null or pgwallet_router._raise(p.error);

  -- The others get what is fixed by now, so that their settings do not matter.
  perform pgwallet_router._call_each(
    array(select pgwallet_router._others(v_home)),
    format(
      'select r.error from pgwallet_remote._open_project($1, %L, %L, %L, %L, %L, null, %L, %L, '
      'p_caller => null) as r',
      v_project.reference, v_project.currency, v_project.commission_rate, v_project.fee_rate,
      v_project.max_pledge, v_project.fee_fixed, v_project.project_id
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
