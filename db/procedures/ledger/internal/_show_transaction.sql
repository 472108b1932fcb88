-- What is told of a transaction: what the call said, and what its postings come to. That is null if
-- they are in several currencies, which cannot be added up. And what it took back, if it is a
-- reversal, or which reversal took it back.
create or replace function pgwallet._show_transaction(p_transaction_id bigint)
returns table (
  transaction_id bigint, kind text, escrow_id bigint, idempotency_key text, metadata jsonb,
  created_at timestamptz, effective_at timestamptz, posting_count bigint, currency text,
  amount numeric, reversed_transaction_id bigint, reversed_by bigint
)
language sql
stable
begin atomic
  select
    t.transaction_id, t.kind::text, t.escrow_id, t.idempotency_key, t.metadata, t.created_at,
    coalesce(t.effective_at, t.created_at) as effective_at, m.number as posting_count,
    case m.currencies when 1 then m.currency end as currency,
    case m.currencies when 1 then m.amount end as amount,
    t.reversed_transaction_id, r.transaction_id as reversed_by
  from (
    select o.*
    from pgwallet.transaction as o
    where o.transaction_id = p_transaction_id
  ) as t
  left join pgwallet.transaction as r on t.transaction_id = r.reversed_transaction_id
  cross join lateral (
    select
      count(*) as number,
      count(distinct a.currency) as currencies,
      min(a.currency) as currency,
      round(sum(p.amount), max(scale(p.amount))) as amount
    from pgwallet.posting as p
    inner join pgwallet.account as a on p.source_account_id = a.account_id
    where p.transaction_id = t.transaction_id
  ) as m;
end;
