-- The elements of a bulk call by the shards of their wallets, one row a shard, in the order of the
-- shards: their places in the call, and the arrays of their own. Whole arrays that were left out
-- stay so.
create or replace function pgwallet_router._split_elements(
  p_wallet_ids bigint[],
  p_amounts numeric[],
  p_idempotency_keys text[],
  p_metadata jsonb[],
  p_effective_at timestamptz[],
  p_expires_at timestamptz[] default null
)
returns table (
  shard integer, is_first boolean, places bigint[], wallet_ids bigint[], amounts numeric[],
  idempotency_keys text[], metadata jsonb[], effective_at timestamptz[], expires_at timestamptz[]
)
language sql
immutable
set search_path = pg_catalog, pg_temp
as $function$
  select
    e.shard, e.shard = min(e.shard) over (),
    array_agg(e.place order by e.place),
    array_agg(e.wallet_id order by e.place),
    array_agg(e.amount order by e.place),
    case when p_idempotency_keys is not null then array_agg(e.key order by e.place) end,
    case when p_metadata is not null then array_agg(e.metadata order by e.place) end,
    case when p_effective_at is not null then array_agg(e.effective_at order by e.place) end,
    case when p_expires_at is not null then array_agg(e.expires_at order by e.place) end
  from (
    select coalesce(pgwallet_router._shard_of(u.wallet_id), 0) as shard, u.*
    from unnest(
      p_wallet_ids, p_amounts, p_idempotency_keys, p_metadata, p_effective_at, p_expires_at
    ) with ordinality
      as u (wallet_id, amount, key, metadata, effective_at, expires_at, place)
  ) as e
  group by e.shard
  order by e.shard
$function$;
