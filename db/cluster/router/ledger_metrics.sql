-- When the ledger was last checked and sealed: the shard where that is longest ago counts. Instead
-- of the last ids, which are of one shard, it tells how many were drawn on all together.
create or replace function pgwallet.ledger_metrics()
returns table (
  checked_at timestamptz, violation_count bigint, sealed_at timestamptz, sealed_posting_id bigint,
  oldest_unsealed_at timestamptz, last_posting_id bigint, last_transaction_id bigint
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select
    case when count(r.checked_at) = count(*) then min(r.checked_at) end,
    sum(r.violation_count)::bigint,
    case when count(r.sealed_at) = count(*) then min(r.sealed_at) end,
    sum(greatest(r.sealed_posting_id - (s.shard + 1 << 46), 0))::bigint,
    min(r.oldest_unsealed_at),
    sum(greatest(r.last_posting_id - (s.shard + 1 << 46), 0))::bigint,
    sum(greatest(r.last_transaction_id - (s.shard + 1 << 46), 0))::bigint
  from generate_series(0::bigint, pgwallet_router._shard_count() - 1) as s (shard)
  cross join lateral pgwallet_remote.ledger_metrics(s.shard::integer) as r
  where r.error is null or pgwallet_router._raise(r.error);
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
