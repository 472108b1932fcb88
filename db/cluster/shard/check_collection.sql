-- Refuses a malformed collection, in the words of the ledger.
create or replace function pgwallet_shard.check_collection(
  p_currency text,
  p_account text,
  p_amount numeric,
  p_idempotency_key text,
  p_metadata jsonb,
  p_effective_at timestamptz
)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  return pgwallet._check_collection(
    p_currency, p_account, p_amount, p_idempotency_key, p_metadata, p_effective_at
  ) is not null;
end;
$function$;
