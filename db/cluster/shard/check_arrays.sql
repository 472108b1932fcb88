-- Refuses malformed arrays of a bulk call before its elements go to several shards.
create or replace function pgwallet_shard.check_arrays(
  p_wallet_ids bigint[],
  p_amounts numeric[],
  p_idempotency_keys text[],
  p_metadata jsonb[],
  p_effective_at timestamptz[],
  p_expires_at timestamptz[]
)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet._check_arrays(
    p_wallet_ids, p_amounts, p_idempotency_keys, p_metadata, p_effective_at, p_expires_at
  );
  return true;
end;
$function$;
