-- Counts what postings add to what the pledges to projects come to, as get_project tells it: those
-- above an id, up to each of others in their order, whose place stands for the seal. Of one project
-- or, where that is null, of each that they touched. How many were settled is not in the amounts: a
-- call that names its escrow settled it, or locked it again, if that says so, which stays; a batch
-- of refunds posts for each, and one of releases says how many.
create or replace function pgwallet._count_pledges(
  p_above bigint, p_until bigint[], p_project_id bigint default null
)
returns setof pgwallet.seal_project
language plpgsql
stable
rows 10
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $function$
declare
  v_escrow_account_id bigint;
  v_first bigint;
  v_last bigint;
begin
  if p_project_id is not null then
    select j.escrow_account_id
    into v_escrow_account_id
    from pgwallet.project as j where j.project_id = p_project_id;
  end if;
  select min(p.transaction_id), max(p.transaction_id)
  into v_first, v_last
  from pgwallet.posting as p
  where p.posting_id > p_above and p.posting_id <= p_until[cardinality(p_until)];

  return query
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
      g.place, g.kind, g.count, g.settled, g.amount,
      coalesce(j.project_id, e.project_id) as project_id,
      case
        when g.kind = 'release_refund' or (g.kind = 'pledge_change' and g.leaves) then -1 else 1
      end as sign,
      -- The other side of a release, and of what takes it back, keeps a balance if it is a project.
      case when g.kind in ('release', 'release_refund') then coalesce(a.kind, 'project') end
      as taken_by
    from (
      select
        n.place, n.kind, n.leaves, n.escrow_account_id, n.escrow_id, n.taker_id,
        sum(n.number) as count, sum(n.amount) as amount, sum(n.settled) as settled
      from (
        -- Into an escrow account goes a pledge. Of what leaves it there is more to know.
        select
          width_bucket(p.posting_id - 1, p_until) + 1::bigint as place,
          coalesce(t.kind, 'pledge')::text as kind, p.source_balance is null as leaves,
          case
            when p.source_balance is null then p.source_account_id else p.destination_account_id
          end as escrow_account_id,
          null::bigint as escrow_id,
          case
            when p.source_balance is null and p.destination_balance is null
              then p.destination_account_id
          end as taker_id,
          1 as number, p.amount, s.settled
        from pgwallet.posting as p
        left join lateral (
          select f.transaction_id, f.kind, f.escrow_id, f.settled_count
          from pgwallet.transaction as f
          where p.source_balance is null and f.transaction_id = p.transaction_id
          order by f.transaction_id
          limit 1
        ) as t on true
        cross join lateral (
          select
            case
              when t.kind is null then 0
              when t.kind = 'refund' and t.escrow_id is null then 1
              -- Of the postings of a release, the first speaks for all.
              when t.kind = 'release' and exists (
                  select
                  from pgwallet.posting as n
                  where n.transaction_id = p.transaction_id and n.posting_id < p.posting_id
                ) then 0
              when t.escrow_id is null then coalesce(t.settled_count, 0)
              else (
                select count(*)
                from pgwallet.escrow as e
                where e.escrow_id = t.escrow_id and (
                  e.settled_by = t.transaction_id
                  or array_position(e.reopenings, t.transaction_id) % 2 = 1
                )
              )
            end as settled
        ) as s
        where p.posting_id > p_above and p.posting_id <= p_until[cardinality(p_until)]
          and (p.source_balance is null or p.destination_balance is null)
          and case
            when v_escrow_account_id is not null
              then v_escrow_account_id in (p.source_account_id, p.destination_account_id)
            else p.source_account_id
              not in (select c.external_account_id from pgwallet.currency as c)
              and p.destination_account_id
              not in (select c.external_account_id from pgwallet.currency as c)
          end
          and t.kind is distinct from 'release_refund'
        union all
        -- But what raises a pledge is none, and what takes a release back touches no escrow account:
        -- they have a small index of their own.
        select
          width_bucket(p.posting_id - 1, p_until) + 1::bigint,
          case c.kind when 'pledge_change' then 'pledge' else c.kind end, false,
          case when c.kind = 'pledge_change' then p.destination_account_id end,
          case when c.kind = 'release_refund' then c.escrow_id end,
          case
            when c.kind = 'release_refund' and p.source_balance is null then p.source_account_id
          end,
          case c.kind when 'pledge_change' then -1 else 1 end,
          case c.kind when 'pledge_change' then 0 else p.amount end,
          (
            select -count(*)
            from pgwallet.escrow as e
            where e.escrow_id = c.escrow_id
              and array_position(e.reopenings, c.transaction_id) % 2 = 0
          )
        from pgwallet.transaction as c
        inner join pgwallet.posting as p on p.transaction_id = c.transaction_id
        where c.kind in ('pledge_change', 'release_refund')
          and c.transaction_id >= v_first and c.transaction_id <= v_last
          and p.posting_id > p_above and p.posting_id <= p_until[cardinality(p_until)]
          and (c.kind = 'release_refund' or p.source_balance is not null)
      ) as n
      group by 1, 2, 3, 4, 5, 6
    ) as g
    left join pgwallet.project as j on j.escrow_account_id = g.escrow_account_id
    left join pgwallet.escrow as e on e.escrow_id = g.escrow_id
    left join pgwallet.account as a on a.account_id = g.taker_id
  ) as f
  where f.project_id = p_project_id or (p_project_id is null and f.project_id is not null)
  group by f.project_id, f.place;
end;
$function$;
