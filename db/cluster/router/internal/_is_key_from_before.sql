-- Whether a key was used on the first shard when that was a ledger by itself. What it did then is
-- no plan.
create or replace function pgwallet_router._is_key_from_before(p_idempotency_key text)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return pgwallet_router._has_adopted() and p_idempotency_key is not null and exists (
    select
    from pgwallet_remote.find_transaction(0, p_idempotency_key) as r
    where (r.error is null or pgwallet_router._raise(r.error)) and r.transaction_id >> 46 = 0
  );
end;
$function$;
