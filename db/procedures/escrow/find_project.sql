-- The project with a reference of the caller's, as get_project shows it; no row if there is none.
create or replace function pgwallet.find_project(p_reference text)
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
  perform pgwallet._check_text('reference', p_reference);
  return query
  select s.*
  from pgwallet.project as p
  cross join lateral pgwallet._show_project(p.project_id) as s
  where p.reference = p_reference collate "C";
end;
$function$;

comment on function pgwallet.find_project(text) is
'The project with this reference, or no row. Raises: PW002.';
