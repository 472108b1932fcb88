-- How many escrows wait for something in each currency, and since when: to be refunded, because
-- they expired; for the end of a dispute; for a release or refund of their closed project.
--
-- Walks from project to project along the index of what is locked, so that it costs what projects
-- hold money, however much they hold. Of the expired it counts no more than the first 1,000.
create or replace function pgwallet._find_waiting_escrows()
returns table (
  currency text, disputed_amount numeric, disputed_count bigint, expired_count bigint,
  unsettled_count bigint, expired_at timestamptz, locked_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $function$
declare
  v_now timestamptz := statement_timestamp();
begin
  return query
  with recursive held as (
    (
      select e.project_id, e.escrow_id, e.created_at
      from pgwallet.escrow as e
      where e.status in ('locked', 'disputed')
      order by e.project_id, e.escrow_id
      limit 1
    )
    union all
    select n.project_id, n.escrow_id, n.created_at
    from held as h
    cross join lateral (
      select e.project_id, e.escrow_id, e.created_at
      from pgwallet.escrow as e
      where e.status in ('locked', 'disputed') and e.project_id > h.project_id
      order by e.project_id, e.escrow_id
      limit 1
    ) as n
  ),
  found as (
    select
      p.currency, 0::numeric as disputed, null::timestamptz as expired, h.created_at as locked,
      p.status <> 'open' and exists (
        select
        from pgwallet.escrow as e
        where e.project_id = h.project_id and e.status in ('locked', 'disputed')
          and e.status = 'locked'
      ) as unsettled
    from held as h
    inner join pgwallet.project as p on p.project_id = h.project_id
    union all
    select p.currency, e.amount - e.released_amount - e.refunded_amount, null, null, false
    from pgwallet.escrow as e
    inner join pgwallet.project as p on p.project_id = e.project_id
    where e.status = 'disputed'
    union all
    (
      select p.currency, 0, e.expires_at, null, false
      from pgwallet.escrow as e
      inner join pgwallet.project as p on p.project_id = e.project_id
      where e.status = 'locked' and e.expires_at <= v_now
        and (p.status <> 'succeeded' or e.expires_at <= p.closed_at)
      order by e.expires_at, e.escrow_id
      limit 1000
    )
  )
  select
    f.currency, sum(f.disputed), count(*) filter (where f.disputed > 0), count(f.expired),
    count(*) filter (where f.unsettled), min(f.expired), min(f.locked)
  from found as f
  group by f.currency;
end;
$function$;
