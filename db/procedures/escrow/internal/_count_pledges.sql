-- Counts what postings add to what the pledges to projects come to, as get_project tells it: those
-- above an id, up to each of others in their order, whose place stands for the seal. Of one project
-- or, where that is null, of each that they touched.
--
-- How many were settled is not in the amounts. A call that names its escrow settled it if that says
-- so, which stays; a batch of refunds posts for each; one of releases says how many.
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
as $function$
declare
  v_project pgwallet.project;
  -- Into or out of these: what was pledged to the project, and what came of that.
  v_account_ids bigint[];
begin
  if p_project_id is not null then
    select j.* into v_project from pgwallet.project as j where j.project_id = p_project_id;
    select array[
      v_project.project_id, v_project.escrow_account_id, c.commission_account_id, c.fee_account_id
    ]
    into v_account_ids
    from pgwallet.currency as c
    where c.currency = v_project.currency;
  end if;

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
        width_bucket(p.posting_id - 1, p_until) + 1::bigint as place,
        coalesce(t.kind, k.kind, 'pledge') as kind, p.source_balance is null as leaves,
        case
          when k.kind = 'release_refund' then null
          when p.source_balance is null then p.source_account_id
          else p.destination_account_id
        end as escrow_account_id,
        case when k.kind = 'release_refund' then k.escrow_id end as escrow_id,
        case
          when k.kind = 'release_refund' and p.source_balance is null then p.source_account_id
          when p.source_balance is null and p.destination_balance is null
            then p.destination_account_id
        end as taker_id,
        count(*) as count, sum(p.amount) as amount, sum(s.settled) as settled
      from pgwallet.posting as p
      -- What changes a pledge or takes a release back has a small index of its own.
      left join lateral (
        select f.kind, f.escrow_id
        from pgwallet.transaction as f
        where f.transaction_id = p.transaction_id
          and f.kind in ('pledge_change', 'release_refund')
        order by f.transaction_id
        limit 1
      ) as k on true
      -- Only of what leaves the escrow account is there more to know.
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
            when t.kind is null or t.kind = 'release_refund' then 0
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
              where e.escrow_id = t.escrow_id and e.settled_by = t.transaction_id
            )
          end as settled
      ) as s
      where p.posting_id > p_above and p.posting_id <= p_until[cardinality(p_until)]
        and case
          when v_account_ids is not null
            then p.source_account_id = any (v_account_ids)
              or p.destination_account_id = v_project.escrow_account_id
          else p.source_account_id not in (select c.external_account_id from pgwallet.currency as c)
            and p.destination_account_id
            not in (select c.external_account_id from pgwallet.currency as c)
        end
        and (
          p.source_balance is null or p.destination_balance is null or k.kind = 'release_refund'
        )
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
