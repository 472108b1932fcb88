-- One project: its terms, what was pledged to it, and what became of that.
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
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
begin
  return query
  select s.*
  from pgwallet._show_project(p_project_id) as s;
  if not found then
    perform pgwallet._refuse_missing('project', p_project_id);
  end if;
end;
$function$;

comment on function pgwallet.get_project(bigint) is
'One project: its terms, what was pledged to it, and what became of that. Raises: PW103.';
