-- Pledges to one project from many wallets: each shard does its part or nothing, one after another.
-- Elements on several shards need keys: an error says that others may have done theirs, and the
-- same call completes it. Rows come in the order of the elements.
create or replace function pgwallet.pledge_many(
  p_project_id bigint,
  p_wallet_ids bigint[],
  p_amounts numeric[],
  p_idempotency_keys text[] default null,
  p_expires_at timestamptz[] default null,
  p_metadata jsonb[] default null,
  p_effective_at timestamptz[] default null
)
returns table (
  transaction_id bigint, wallet_id bigint, escrow_id bigint, amount numeric,
  balance numeric, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet_router._begin_call();
  if not pgwallet_router._is_spread(
    p_wallet_ids, p_amounts, p_idempotency_keys, p_metadata, p_effective_at,
    p_expires_at
  ) then
    return query
    select
      r.transaction_id, r.wallet_id, r.escrow_id, r.amount, r.balance, r.replayed
    from pgwallet_remote.pledge_many(
      pgwallet_router._shard_of_first(p_wallet_ids),
      p_project_id, p_wallet_ids, p_amounts, p_idempotency_keys,
      p_expires_at, p_metadata, p_effective_at
    ) as r
    where r.error is null or pgwallet_router._raise(r.error);
    return;
  end if;

  return query
  select
    r.transaction_id, r.wallet_id, r.escrow_id, r.amount, r.balance, r.replayed
  from pgwallet_router._split_elements(
    p_wallet_ids, p_amounts, p_idempotency_keys, p_metadata, p_effective_at,
    p_expires_at
  ) as s
  cross join lateral rows from (
    pgwallet_remote.pledge_many(
      s.shard, p_project_id, s.wallet_ids, s.amounts, s.idempotency_keys,
      s.expires_at, s.metadata, s.effective_at
    )
  ) with ordinality as r (
    transaction_id, wallet_id, escrow_id, amount, balance, replayed, error, place
  )
  where r.error is null or pgwallet_router._raise_part(r.error, s.is_first)
  order by s.places[r.place];
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
