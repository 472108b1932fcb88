-- What is told of a project: its terms, what its pledges came to, and what became of them.
--
-- Two sums, since one index has the escrows that hold something and another one the rest. Nobody
-- counts along with each pledge: that would make all pledges to a project wait for each other.
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
language sql
stable
begin atomic
  select
    p.project_id, p.reference, p.currency, p.status::text, p.commission_rate, p.fee_rate,
    p.fee_fixed, p.max_pledge, p.created_at, p.closed_at, l.number + s.number as escrow_count,
    l.number - l.disputed as locked_count, l.disputed as disputed_count,
    round(l.amount + s.amount, scale(a.balance)) as pledged_amount,
    round(l.amount - l.released - l.refunded, scale(a.balance)) as locked_amount,
    round(l.disputed_amount, scale(a.balance)) as disputed_amount,
    round(l.released + s.released, scale(a.balance)) as released_amount,
    round(l.refunded + s.refunded, scale(a.balance)) as refunded_amount,
    round(l.commission + s.commission, scale(a.balance)) as commission_amount,
    round(l.fee + s.fee, scale(a.balance)) as fee_amount,
    round(l.net + s.net, scale(a.balance)) as net_amount,
    a.balance, round(a.credit_limit, scale(a.balance)) as credit_limit, a.frozen_at
  from (
    select j.*
    from pgwallet.project as j
    where j.project_id = p_project_id
  ) as p
  inner join pgwallet.account as a on p.project_id = a.account_id
  cross join lateral (
    select
      count(*) as number,
      count(*) filter (where e.status = 'disputed') as disputed,
      coalesce(
        sum(e.amount - e.released_amount - e.refunded_amount) filter (where e.status = 'disputed'),
        0
      ) as disputed_amount,
      coalesce(sum(e.amount), 0) as amount,
      coalesce(sum(e.released_amount), 0) as released,
      coalesce(sum(e.refunded_amount), 0) as refunded,
      coalesce(sum(e.commission_amount), 0) as commission,
      coalesce(sum(e.fee_amount), 0) as fee,
      coalesce(sum(e.net_amount), 0) as net
    from pgwallet.escrow as e
    where e.project_id = p.project_id and e.status in ('locked', 'disputed')
  ) as l
  cross join lateral (
    select
      count(*) as number,
      coalesce(sum(e.amount), 0) as amount,
      coalesce(sum(e.released_amount), 0) as released,
      coalesce(sum(e.refunded_amount), 0) as refunded,
      coalesce(sum(e.commission_amount), 0) as commission,
      coalesce(sum(e.fee_amount), 0) as fee,
      coalesce(sum(e.net_amount), 0) as net
    from pgwallet.escrow as e
    where e.project_id = p.project_id and e.status not in ('locked', 'disputed')
  ) as s;
end;
