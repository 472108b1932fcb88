-- Counts what postings add to what moved in each month, as platform_summary does: those above an
-- id, up to each of others in their order, whose place stands for the seal.
--
-- Grouped by the accounts that keep no balance before it looks any up: nearly every posting has
-- one, and they are few. Not from a view, which a session may refuse to read.
create or replace function pgwallet._count_flows(p_above bigint, p_until bigint[])
returns setof pgwallet.seal_flow
language plpgsql
stable
rows 10
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
as $function$
declare
  -- They move money between a wallet and its pockets, which is no flow.
  c_within constant text[] := array[
    'allocation', 'transfer_to_pocket', 'transfer_from_pocket', 'pocket_closing'
  ];
begin
  return query
  select
    f.place, f.currency, f.month,
    coalesce(sum(f.sign * f.count) filter (where f.kind = 'deposit'), 0)::bigint,
    coalesce(sum(f.sign * f.count) filter (where f.kind = 'withdrawal'), 0)::bigint,
    coalesce(sum(f.count) filter (where f.kind = 'pledge' and f.into = 'escrow'), 0)::bigint,
    coalesce(sum(f.count) filter (where f.kind = 'release' and f.into = 'project'), 0)::bigint,
    coalesce(sum(f.count) filter (where f.kind = 'refund'), 0)::bigint,
    coalesce(sum(f.sign * f.count) filter (where f.kind = 'payout'), 0)::bigint,
    coalesce(sum(f.count) filter (where f.kind = 'collection'), 0)::bigint,
    coalesce(sum(f.sign * f.amount) filter (where f.kind = 'deposit'), 0),
    coalesce(sum(f.sign * f.amount) filter (where f.kind = 'withdrawal'), 0),
    coalesce(
      sum(case when f.into = 'escrow' then f.amount else -f.amount end)
      filter (where f.kind in ('pledge', 'pledge_change')),
      0
    ),
    coalesce(sum(f.released), 0),
    coalesce(sum(f.amount) filter (where f.kind in ('refund', 'release_refund')), 0),
    coalesce(sum(f.released) filter (where 'commission' in (f.out_of, f.into)), 0),
    coalesce(sum(f.released) filter (where 'fee' in (f.out_of, f.into)), 0),
    coalesce(sum(f.released) filter (where 'project' in (f.out_of, f.into)), 0),
    coalesce(sum(f.sign * f.amount) filter (where f.kind = 'payout'), 0),
    coalesce(sum(f.amount) filter (where f.kind = 'collection'), 0)
  from (
    select
      g.month, g.place, g.count, g.amount,
      coalesce(s.currency, d.currency) as currency,
      coalesce(g.reversed_kind, g.kind) as kind,
      case when g.reversed_kind is null then 1 else -1 end as sign,
      case g.kind when 'release' then g.amount when 'release_refund' then -g.amount end as released,
      s.kind as out_of,
      -- What a release leads to and keeps a balance is a project.
      coalesce(d.kind, case when g.kind = 'release' then 'project' end) as into
    from (
      select
        date_trunc('month', p.created_at at time zone 'UTC')::date as month,
        width_bucket(p.posting_id - 1, p_until) + 1::bigint as place,
        t.kind, b.kind as reversed_kind,
        case
          when p.source_balance is null or p.destination_balance is not null
            then p.source_account_id
        end as source_id,
        case when p.destination_balance is null then p.destination_account_id end as destination_id,
        count(*) as count, sum(p.amount) as amount
      from pgwallet.posting as p
      cross join lateral (
        select f.kind, f.reversed_transaction_id
        from pgwallet.transaction as f
        where f.transaction_id = p.transaction_id
        order by f.transaction_id
        limit 1
      ) as t
      left join lateral (
        select f.kind
        from pgwallet.transaction as f
        where f.transaction_id = t.reversed_transaction_id
        order by f.transaction_id
        limit 1
      ) as b on true
      where p.posting_id > p_above and p.posting_id <= p_until[cardinality(p_until)]
        and coalesce(b.kind, t.kind) <> all (c_within)
      group by 1, 2, 3, 4, 5, 6
    ) as g
    left join lateral (
      select a.kind, a.currency
      from pgwallet.account as a
      where a.account_id = g.source_id
      order by a.account_id
      limit 1
    ) as s on true
    left join lateral (
      select a.kind, a.currency
      from pgwallet.account as a
      where a.account_id = g.destination_id
      order by a.account_id
      limit 1
    ) as d on true
  ) as f
  where f.currency is not null and f.out_of is distinct from 'pocket'
  group by f.month, f.currency, f.place;
end;
$function$;
