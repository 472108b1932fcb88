-- Splits amounts in many wallets over their pockets: each shard does its part or nothing, one after
-- another. Elements on several shards need keys: an error says that others may have done theirs,
-- and the same call completes it. Rows come in the order of the elements.
create or replace function pgwallet.allocate_deposits(
  p_wallet_ids bigint[],
  p_amounts numeric[],
  p_idempotency_keys text[] default null,
  p_rounding text default 'half_up',
  p_metadata jsonb[] default null,
  p_effective_at timestamptz[] default null
)
returns table (
  transaction_id bigint, wallet_id bigint, pocket_id bigint, name text,
  allocation_percentage numeric, amount numeric, balance numeric, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet_router._begin_call();
  if not pgwallet_router._is_spread(
    p_wallet_ids, p_amounts, p_idempotency_keys, p_metadata, p_effective_at
  ) then
    return query
    select
      r.transaction_id, r.wallet_id, r.pocket_id, r.name, r.allocation_percentage, r.amount,
      r.balance, r.replayed
    from pgwallet_remote.allocate_deposits(
      pgwallet_router._shard_of_first(p_wallet_ids),
      p_wallet_ids, p_amounts, p_idempotency_keys, p_rounding,
      p_metadata, p_effective_at
    ) as r
    where r.error is null or pgwallet_router._raise(r.error);
    return;
  end if;

  -- An element has a row for each pocket. A new one begins where the transaction is another, or
  -- where a pocket comes again: of a key that was given twice.
  return query
  with row as materialized (
    select
      s.shard, s.places, r.*,
      lag((r.transaction_id, r.replayed)) over w
        is distinct from (r.transaction_id, r.replayed) as is_other
    from pgwallet_router._split_elements(
      p_wallet_ids, p_amounts, p_idempotency_keys, p_metadata, p_effective_at
    ) as s
    cross join lateral rows from (
      pgwallet_remote.allocate_deposits(
        s.shard, s.wallet_ids, s.amounts, s.idempotency_keys, p_rounding,
        s.metadata, s.effective_at
      )
    ) with ordinality as r (
      transaction_id, wallet_id, pocket_id, name, allocation_percentage, amount, balance, replayed,
      error, place
    )
    where r.error is null or pgwallet_router._raise_part(r.error, s.is_first)
    window w as (partition by s.shard order by r.place)
  ),

  run as (
    select
      o.*,
      count(*) filter (where o.is_other) over (partition by o.shard order by o.place) as run
    from row as o
  ),

  repeated as (
    select
      u.*,
      row_number() over (partition by u.shard, u.run, u.pocket_id order by u.place) as repetition
    from run as u
  ),

  numbered as (
    select
      p.*, dense_rank() over (partition by p.shard order by p.run, p.repetition) as element
    from repeated as p
  )

  select
    n.transaction_id, n.wallet_id, n.pocket_id, n.name, n.allocation_percentage, n.amount,
    n.balance, n.replayed
  from numbered as n
  order by n.places[n.element], n.place;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
