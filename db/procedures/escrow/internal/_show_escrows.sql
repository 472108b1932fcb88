-- What is told of escrows with these ids, in the order of ids.
create or replace function pgwallet._show_escrows(p_escrow_ids bigint[])
returns table (
  escrow_id bigint, wallet_id bigint, project_id bigint, reference text, status text,
  expired boolean, created_at timestamptz, expires_at timestamptz, currency text,
  amount numeric, locked_amount numeric, released_amount numeric, refunded_amount numeric,
  commission_amount numeric, fee_amount numeric, net_amount numeric, settled_by bigint
)
language sql
stable
begin atomic
  select
    e.escrow_id, e.wallet_id, e.project_id, p.reference, e.status::text,
    coalesce(
      e.status = 'locked' and e.expires_at <= statement_timestamp()
      and (p.status <> 'succeeded' or e.expires_at <= p.closed_at),
      false
    ) as expired,
    e.created_at, e.expires_at, p.currency, e.amount,
    round(e.amount - e.released_amount - e.refunded_amount, scale(e.amount)) as locked_amount,
    round(e.released_amount, scale(e.amount)) as released_amount,
    round(e.refunded_amount, scale(e.amount)) as refunded_amount,
    round(e.commission_amount, scale(e.amount)) as commission_amount,
    round(e.fee_amount, scale(e.amount)) as fee_amount,
    round(e.net_amount, scale(e.amount)) as net_amount, e.settled_by
  from (
    select l.*
    from pgwallet.escrow as l
    where l.escrow_id = any(p_escrow_ids)
  ) as e
  inner join pgwallet.project as p on e.project_id = p.project_id
  order by e.escrow_id;
end;
