-- What moved in each currency since the ledger began, as platform_summary counts it: what was
-- taken back counts against what it took back. From the last seal, and what came since; not from
-- that view: a session may refuse to read views.
create or replace function pgwallet._sum_flows()
returns table (
  currency text, deposited numeric, withdrawn numeric, pledged numeric, released numeric,
  refunded numeric, commission numeric, fee numeric, net numeric, paid_out numeric,
  collected numeric
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
#variable_conflict use_column
declare
  v_above bigint := coalesce(
    (select s.posting_id from pgwallet.seal as s order by s.seal_id desc limit 1),
    '-9223372036854775808'::bigint
  );
begin
  return query
  with recursive sealed_month as (
    (
      select f.month, f.currency
      from pgwallet.seal_flow as f
      order by f.month, f.currency
      limit 1
    )
    union all
    select n.month, n.currency
    from sealed_month as m
    cross join lateral (
      select f.month, f.currency
      from pgwallet.seal_flow as f
      where (f.month, f.currency) > (m.month, m.currency)
      order by f.month, f.currency
      limit 1
    ) as n
  ),

  sealed as (
    select
      n.currency,
      sum(n.deposited) as deposited,
      sum(n.withdrawn) as withdrawn,
      sum(n.pledged) as pledged,
      sum(n.released) as released,
      sum(n.refunded) as refunded,
      sum(n.commission) as commission,
      sum(n.fee) as fee,
      sum(n.net) as net,
      sum(n.paid_out) as paid_out,
      sum(n.collected) as collected
    from sealed_month as m
    cross join lateral (
      select f.*
      from pgwallet.seal_flow as f
      where f.month = m.month and f.currency = m.currency
      order by f.seal_id desc
      limit 1
    ) as n
    group by n.currency
  )

  select
    c.currency,
    round(coalesce(k.deposited, 0) + coalesce(m.deposited, 0), c.exponent),
    round(coalesce(k.withdrawn, 0) + coalesce(m.withdrawn, 0), c.exponent),
    round(coalesce(k.pledged, 0) + coalesce(m.pledged, 0), c.exponent),
    round(coalesce(k.released, 0) + coalesce(m.released, 0), c.exponent),
    round(coalesce(k.refunded, 0) + coalesce(m.refunded, 0), c.exponent),
    round(coalesce(k.commission, 0) + coalesce(m.commission, 0), c.exponent),
    round(coalesce(k.fee, 0) + coalesce(m.fee, 0), c.exponent),
    round(coalesce(k.net, 0) + coalesce(m.net, 0), c.exponent),
    round(coalesce(k.paid_out, 0) + coalesce(m.paid_out, 0), c.exponent),
    round(coalesce(k.collected, 0) + coalesce(m.collected, 0), c.exponent)
  from pgwallet.currency as c
  left join sealed as k on k.currency = c.currency
  left join (
    select
      f.currency,
      sum(f.deposited) as deposited,
      sum(f.withdrawn) as withdrawn,
      sum(f.pledged) as pledged,
      sum(f.released) as released,
      sum(f.refunded) as refunded,
      sum(f.commission) as commission,
      sum(f.fee) as fee,
      sum(f.net) as net,
      sum(f.paid_out) as paid_out,
      sum(f.collected) as collected
    from pgwallet._count_flows(v_above, array[9223372036854775807]) as f
    group by f.currency
  ) as m on m.currency = c.currency
  where k.currency is not null or m.currency is not null;
end;
$function$;
