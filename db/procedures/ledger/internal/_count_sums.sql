-- Counts what postings add to the sums of seals: those above an id, up to each of others in their
-- order, whose place stands for the seal. A row is when the latest was recorded, what an account
-- without a balance comes to, what moved in a month, or what pledges to a project come to.
--
-- In one pass: grouped by what any of them asks for before anything is looked up. Nearly every
-- posting has an account without a balance, and they are few. No views: a session may refuse them.
create or replace function pgwallet._count_sums(
  p_above bigint, p_until bigint[], p_project_id bigint default null
)
returns table (
  place bigint, latest_at timestamptz, account_id bigint, amount numeric,
  flow pgwallet.seal_flow, project pgwallet.seal_project
)
language plpgsql
stable
rows 1000
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_nestloop = off
set enable_mergejoin = off
set enable_sort = off
set jit = off
as $function$
declare
  -- They move money between a wallet and its pockets, which is no flow.
  c_within constant text[] := array[
    'allocation', 'transfer_to_pocket', 'transfer_from_pocket', 'pocket_closing'
  ];
  -- Days of UTC begin whole days after it.
  c_midnight constant timestamptz := to_timestamp(0);
  v_last_id constant bigint := p_until[cardinality(p_until)];
  v_escrow_account_id bigint;
  v_first bigint;
  v_near bigint;
  v_last bigint;
begin
  -- Without jit: a plan that takes what is off counts as so dear that it would be compiled, for 2 s.
  if p_project_id is not null then
    select j.escrow_account_id
    into v_escrow_account_id
    from pgwallet.project as j where j.project_id = p_project_id;
  end if;
  -- Nearly all of their transactions have ids as close to each other as theirs are: those are read
  -- as one range, the rest one by one.
  select
    min(p.transaction_id),
    greatest(min(p.transaction_id), max(p.transaction_id) - 2 * count(*)),
    max(p.transaction_id)
  into v_first, v_near, v_last
  from pgwallet.posting as p
  where p.posting_id > p_above and p.posting_id <= v_last_id;
  if v_last is null then
    return;
  end if;

  return query
  with posted as (
    select
      p.posting_id, p.transaction_id, p.source_account_id, p.destination_account_id, p.created_at,
      p.amount, p.source_balance, p.destination_balance,
      t.kind, t.escrow_id, t.reversed_transaction_id, t.settled_count
    from pgwallet.posting as p
    left join pgwallet.transaction as t
      on t.transaction_id = p.transaction_id
      and t.transaction_id >= v_near and t.transaction_id <= v_last
    where p.posting_id > p_above and p.posting_id <= v_last_id and p.transaction_id >= v_near
    union all
    select
      p.posting_id, p.transaction_id, p.source_account_id, p.destination_account_id, p.created_at,
      p.amount, p.source_balance, p.destination_balance,
      t.kind, t.escrow_id, t.reversed_transaction_id, t.settled_count
    from pgwallet.posting as p
    left join lateral (
      select f.*
      from pgwallet.transaction as f
      where f.transaction_id = p.transaction_id
      order by f.transaction_id
      limit 1
    ) as t on true
    where p.posting_id > p_above and p.posting_id <= v_last_id and p.transaction_id < v_near
      and v_first < v_near
  ),

  moved as materialized (
    select
      width_bucket(p.posting_id - 1, p_until) + 1::bigint as place,
      date_bin('1 day', p.created_at, c_midnight) as day,
      p.kind, p.reversed_transaction_id,
      s.is_derived,
      case
        when s.is_derived or (p.destination_balance is not null and p.kind <> all (c_within))
          then p.source_account_id
      end as source_id,
      case when p.destination_balance is null then p.destination_account_id end as destination_id,
      -- What takes a release back touches no escrow account.
      case when p.kind = 'release_refund' then p.escrow_id end as escrow_id,
      max(p.created_at) as latest_at,
      count(*) as count,
      sum(p.amount) as amount,
      -- How many were settled is not in the amounts: a call that names its escrow settled it, or
      -- locked it again, if that says so, which stays; a batch of refunds posts for each, and one
      -- of releases says how many.
      sum(
        case
          when p.source_balance is not null
            then case
              when p.kind = 'pledge_change' then (
                select -count(*)
                from pgwallet.escrow as e
                where e.escrow_id = p.escrow_id
                  and array_position(e.reopenings, p.transaction_id) % 2 = 0
              )
              else 0
            end
          when p.kind not in ('refund', 'release', 'pledge_change') then 0
          when p.kind = 'refund' and p.escrow_id is null then 1
          -- Of the postings of a release, the first speaks for all.
          when p.kind = 'release' and exists (
              select
              from pgwallet.posting as n
              where n.transaction_id = p.transaction_id and n.posting_id < p.posting_id
            ) then 0
          when p.escrow_id is null then coalesce(p.settled_count, 0)
          else (
            select count(*)
            from pgwallet.escrow as e
            where e.escrow_id = p.escrow_id and (
              e.settled_by = p.transaction_id
              or array_position(e.reopenings, p.transaction_id) % 2 = 1
            )
          )
        end
      ) as settled
    from posted as p
    -- Of what left an account with a balance after it, only earnings that were collected count.
    cross join lateral (
      select
        p.source_balance is null or p.source_account_id in (
          select c.commission_account_id from pgwallet.currency as c
          union all
          select c.fee_account_id from pgwallet.currency as c
        ) as is_derived
    ) as s
    where p_project_id is null or p.kind = 'release_refund'
      or v_escrow_account_id in (p.source_account_id, p.destination_account_id)
    group by 1, 2, 3, 4, 5, 6, 7, 8
  ),

  named as materialized (
    select
      m.place, m.day, m.kind, m.count, m.amount, m.settled, m.is_derived, m.escrow_id,
      case when m.is_derived then m.source_id else m.destination_id end as escrow_account_id,
      b.kind as reversed_kind, coalesce(s.currency, d.currency) as currency,
      s.kind as out_of,
      -- What a release leads to and keeps a balance is a project.
      coalesce(d.kind, case when m.kind = 'release' then 'project' end) as into
    from moved as m
    left join lateral (
      select f.kind
      from pgwallet.transaction as f
      where f.transaction_id = m.reversed_transaction_id
      order by f.transaction_id
      limit 1
    ) as b on true
    left join lateral (
      select a.kind, a.currency
      from pgwallet.account as a
      where a.account_id = m.source_id
      order by a.account_id
      limit 1
    ) as s on true
    left join lateral (
      select a.kind, a.currency
      from pgwallet.account as a
      where a.account_id = m.destination_id
      order by a.account_id
      limit 1
    ) as d on true
  ),

  derived as (
    select d.place, d.account_id, sum(d.amount) as amount
    from (
      select m.place, m.source_id as account_id, -m.amount as amount
      from moved as m
      where m.is_derived
      union all
      select m.place, m.destination_id, m.amount
      from moved as m
      where m.destination_id is not null
    ) as d
    where p_project_id is null
    group by d.place, d.account_id
    having sum(d.amount) <> 0
  ),

  flowed as (
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
        n.place, n.count, n.amount, n.currency, n.out_of, n.into,
        date_trunc('month', n.day at time zone 'UTC')::date as month,
        coalesce(n.reversed_kind, n.kind) as kind,
        case when n.reversed_kind is null then 1 else -1 end as sign,
        case n.kind when 'release' then n.amount when 'release_refund' then -n.amount end
        as released
      from named as n
      where p_project_id is null
    ) as f
    where f.kind <> all (c_within) and f.currency is not null and f.out_of is distinct from 'pocket'
    group by f.month, f.currency, f.place
  ),

  pledged as (
    select
      f.project_id, f.place,
      coalesce(sum(f.count) filter (where f.kind = 'pledge'), 0)::bigint,
      sum(f.settled)::bigint,
      coalesce(sum(f.sign * f.amount) filter (where f.kind in ('pledge', 'pledge_change')), 0),
      coalesce(sum(f.amount) filter (where f.kind in ('refund', 'release_refund')), 0),
      coalesce(sum(f.sign * f.amount) filter (where f.taken_by = 'commission'), 0),
      coalesce(sum(f.sign * f.amount) filter (where f.taken_by = 'fee'), 0),
      coalesce(sum(f.sign * f.amount) filter (where f.taken_by = 'project'), 0)
    from (
      select
        n.place, n.kind, n.count, n.settled, n.amount,
        coalesce(j.project_id, e.project_id) as project_id,
        case
          when n.kind = 'release_refund' or (n.kind = 'pledge_change' and n.is_derived) then -1
          else 1
        end as sign,
        case n.kind when 'release' then n.into when 'release_refund' then n.out_of end as taken_by
      from named as n
      left join lateral (
        select k.project_id
        from pgwallet.project as k
        where k.escrow_account_id = n.escrow_account_id
        order by k.escrow_account_id
        limit 1
      ) as j on true
      left join lateral (
        select k.project_id
        from pgwallet.escrow as k
        where k.escrow_id = n.escrow_id
        order by k.escrow_id
        limit 1
      ) as e on true
    ) as f
    where f.project_id = p_project_id or (p_project_id is null and f.project_id is not null)
    group by f.project_id, f.place
  )

  select
    m.place, max(m.latest_at), null::bigint, null::numeric,
    null::pgwallet.seal_flow, null::pgwallet.seal_project
  from moved as m
  where p_project_id is null
  group by m.place
  union all
  select d.place, null, d.account_id, d.amount, null, null
  from derived as d
  union all
  select f.place, null, null, null, f::pgwallet.seal_flow, null
  from flowed as f
  union all
  select g.place, null, null, null, null, g::pgwallet.seal_project
  from pledged as g;
end;
$function$;
