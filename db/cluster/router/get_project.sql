-- One project, with the sums of all shards.
create or replace function pgwallet.get_project(p_project_id bigint)
returns table (
  project_id bigint, reference text, currency text, status text,
  commission_rate numeric, fee_rate numeric, fee_fixed numeric, max_pledge numeric,
  created_at timestamptz, closed_at timestamptz, escrow_count bigint, locked_count bigint,
  disputed_count bigint, pledged_amount numeric, locked_amount numeric,
  disputed_amount numeric, released_amount numeric,
  refunded_amount numeric, commission_amount numeric, fee_amount numeric, net_amount numeric,
  balance numeric, credit_limit numeric, frozen_at timestamptz
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select p.*
  from pgwallet_router._show_project(p_project_id) as p;
  if not found then
    perform
    from pgwallet_remote.get_project(
      pgwallet_router._home_of_project(p_project_id), p_project_id
    ) as r
    where r.error is null or pgwallet_router._raise(r.error);
  end if;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
