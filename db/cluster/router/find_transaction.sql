-- The transactions that used an idempotency key: a shard has one at most, and of several shards
-- each may have one, since a key is unique where it was used. Those of a plan, which did what the
-- call with this key does on several shards, in the order of its parts; the first is the one that
-- the call returns.
create or replace function pgwallet.find_transaction(p_idempotency_key text)
returns table (
  transaction_id bigint, kind text, escrow_id bigint, idempotency_key text, metadata jsonb,
  created_at timestamptz, effective_at timestamptz, posting_count bigint, currency text,
  amount numeric, reversed_transaction_id bigint, reversed_by bigint
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select
    r.transaction_id, r.kind, r.escrow_id, r.idempotency_key, r.metadata, r.created_at,
    r.effective_at, r.posting_count, r.currency, r.amount, r.reversed_transaction_id,
    r.reversed_by
  from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
  cross join lateral pgwallet_remote.find_transaction(s.shard, p_idempotency_key) as r
  where r.error is null or pgwallet_router._raise(r.error);

  return query
  with plan as materialized (
    select r.plan_id
    from pgwallet_remote.find_plan(
      pgwallet_router._home_of(p_idempotency_key), p_idempotency_key
    ) as r
    where r.error is null or pgwallet_router._raise(r.error)
  )

  select
    r.transaction_id, r.kind, r.escrow_id, r.idempotency_key, r.metadata, r.created_at,
    r.effective_at, r.posting_count, r.currency, r.amount, r.reversed_transaction_id,
    r.reversed_by
  from plan as p
  cross join generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
  cross join lateral pgwallet_remote.list_parts(s.shard, p.plan_id) as r
  where r.error is null or pgwallet_router._raise(r.error)
  order by r.place;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
