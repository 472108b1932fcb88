-- A project as all shards have it together: terms and state are those of its home, amounts and
-- counts the sums of all. Where a making was broken off, of those that have it; null where none
-- does.
create or replace function pgwallet_router._show_project(p_project_id bigint)
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
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  with part as materialized (
    select s.shard, s.place, r.*
    from pgwallet_router._shards_of(p_project_id) with ordinality as s (shard, place)
    cross join lateral pgwallet_remote.get_project(s.shard, p_project_id) as r
    where r.error is null or r.error[1] = 'PW103' or pgwallet_router._raise(r.error)
  ),

  home as (
    select p.*
    from part as p
    where p.error is null
    order by p.place
    limit 1
  )

  select
    h.project_id, h.reference, h.currency, h.status, h.commission_rate, h.fee_rate, h.fee_fixed,
    h.max_pledge, h.created_at, h.closed_at,
    t.escrow_count, t.locked_count, t.disputed_count, t.pledged_amount, t.locked_amount,
    t.disputed_amount, t.released_amount, t.refunded_amount, t.commission_amount, t.fee_amount,
    t.net_amount, t.balance, h.credit_limit, h.frozen_at
  from home as h
  cross join (
    select
      sum(p.escrow_count)::bigint as escrow_count, sum(p.locked_count)::bigint as locked_count,
      sum(p.disputed_count)::bigint as disputed_count, sum(p.pledged_amount) as pledged_amount,
      sum(p.locked_amount) as locked_amount, sum(p.disputed_amount) as disputed_amount,
      sum(p.released_amount) as released_amount, sum(p.refunded_amount) as refunded_amount,
      sum(p.commission_amount) as commission_amount, sum(p.fee_amount) as fee_amount,
      sum(p.net_amount) as net_amount, sum(p.balance) as balance
    from part as p
  ) as t;
end;
$function$;
