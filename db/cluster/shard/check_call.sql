-- Refuses a malformed key, metadata that are too large, or a malformed time.
create or replace function pgwallet_shard.check_call(
  p_idempotency_key text,
  p_metadata jsonb,
  p_effective_at timestamptz
)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet._check_call(p_idempotency_key, p_metadata, p_effective_at);
  return true;
end;
$function$;
