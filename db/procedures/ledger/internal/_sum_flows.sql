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
  )

  select
    c.currency,
    round(sum(f.deposited), c.exponent),
    round(sum(f.withdrawn), c.exponent),
    round(sum(f.pledged), c.exponent),
    round(sum(f.released), c.exponent),
    round(sum(f.refunded), c.exponent),
    round(sum(f.commission), c.exponent),
    round(sum(f.fee), c.exponent),
    round(sum(f.net), c.exponent),
    round(sum(f.paid_out), c.exponent),
    round(sum(f.collected), c.exponent)
  from (
    select n.*
    from sealed_month as m
    cross join lateral (
      select f.*
      from pgwallet.seal_flow as f
      where f.month = m.month and f.currency = m.currency
      order by f.seal_id desc
      limit 1
    ) as n
    union all
    select (n.flow).*
    from pgwallet._count_sums(v_above, array[9223372036854775807]) as n
    where (n.flow).month is not null
  ) as f
  inner join pgwallet.currency as c on c.currency = f.currency
  group by c.currency, c.exponent;
end;
$function$;
