-- Whether the wallets of a bulk call are on several shards. Then refuses what cannot be done on
-- each alone: malformed arrays, as one ledger does, elements without keys, and a key twice, which
-- on two shards would be two calls.
create or replace function pgwallet_router._is_spread(
  p_wallet_ids bigint[],
  p_amounts numeric[],
  p_idempotency_keys text[],
  p_metadata jsonb[],
  p_effective_at timestamptz[],
  p_expires_at timestamptz[] default null
)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_key text;
begin
  if (
    select count(distinct pgwallet_router._shard_of(u.wallet_id))
    from unnest(p_wallet_ids) as u (wallet_id)
  ) < 2 then
    return false;
  end if;

  perform
  from pgwallet_remote.check_arrays(
    pgwallet_router._shard_of_first(p_wallet_ids), p_wallet_ids, p_amounts, p_idempotency_keys,
    p_metadata, p_effective_at, p_expires_at
  ) as r
  where r.error is null or pgwallet_router._raise(r.error);
  if p_idempotency_keys is null or array_position(p_idempotency_keys, null) is not null then
    raise exception using
      errcode = 'PW002',
      message = 'an element on several shards has no idempotency key',
      detail = 'Each shard does its part or nothing; broken off, only keys complete the call.',
      hint = 'Pass a key for each element, or only wallets of one shard.';
  end if;
  select u.key into v_key
  from unnest(p_wallet_ids, p_idempotency_keys) as u (wallet_id, key)
  group by u.key
  having count(distinct coalesce(pgwallet_router._shard_of(u.wallet_id), 0)) > 1
  order by 1
  limit 1;
  if found then
    raise exception using
      errcode = 'PW203',
      message = format('idempotency key %L is used twice', v_key),
      detail = 'Two elements with wallets on different shards have it.',
      hint = 'Each needs a key of its own.';
  end if;
  return true;
end;
$function$;
