-- What is told of a project: its terms, what its pledges came to, and what became of them.
create or replace function pgwallet._show_project(p_project_id bigint)
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
rows 1
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
begin
  return query
  select
    p.project_id, p.reference, p.currency, p.status::text, p.commission_rate, p.fee_rate,
    p.fee_fixed, p.max_pledge, p.created_at, p.closed_at, s.pledge_count as escrow_count,
    s.locked_count, s.disputed_count,
    round(s.pledged, scale(a.balance)) as pledged_amount,
    round(s.pledged - s.released - s.refunded, scale(a.balance)) as locked_amount,
    round(s.disputed, scale(a.balance)) as disputed_amount,
    round(s.released, scale(a.balance)) as released_amount,
    round(s.refunded, scale(a.balance)) as refunded_amount,
    round(s.commission, scale(a.balance)) as commission_amount,
    round(s.fee, scale(a.balance)) as fee_amount,
    round(s.net, scale(a.balance)) as net_amount,
    a.balance, round(a.credit_limit, scale(a.balance)) as credit_limit, a.frozen_at
  from (
    select j.*
    from pgwallet.project as j
    where j.project_id = p_project_id
  ) as p
  inner join pgwallet.account as a on p.project_id = a.account_id
  cross join lateral pgwallet._sum_pledges(p.project_id) as s;
end;
$function$;
