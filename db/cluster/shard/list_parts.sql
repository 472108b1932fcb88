-- The transactions of what this shard has done of a plan, its place beside each.
create or replace function pgwallet_shard.list_parts(p_plan_id bigint)
returns table (
  place integer, transaction_id bigint, kind text, escrow_id bigint, idempotency_key text,
  metadata jsonb, created_at timestamptz, effective_at timestamptz, posting_count bigint,
  currency text, amount numeric, reversed_transaction_id bigint, reversed_by bigint
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select
    p.place, t.transaction_id, t.kind, t.escrow_id, t.idempotency_key, t.metadata, t.created_at,
    t.effective_at, t.posting_count, t.currency, t.amount, t.reversed_transaction_id,
    t.reversed_by
  from pgwallet_shard.part as p
  cross join lateral pgwallet.get_transaction(p.transaction_id) as t
  where p.plan_id = p_plan_id and p.transaction_id is not null
  order by p.place;
end;
$function$;
