-- Inserts the transaction of a call, unless its key was used already. Then it returns null, and
-- the caller looks for the transaction that has the key and its request.
--
-- Locks: the key; a call with the same one waits here until this one has ended.
-- p_request is what the next call with that key is compared with, text by text: as long as rows
-- of users hold it, its format stays.
create or replace function pgwallet._insert_transaction(
  p_kind pgwallet.transaction_kind,
  p_idempotency_key text,
  p_request text,
  p_metadata jsonb,
  p_effective_at timestamptz,
  p_escrow_id bigint default null
)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_transaction_id bigint;
begin
  insert into pgwallet.transaction as t (
    kind, escrow_id, idempotency_key, request, metadata, effective_at
  )
  values (p_kind, p_escrow_id, p_idempotency_key, p_request, p_metadata, p_effective_at)
  on conflict (idempotency_key) where idempotency_key is not null do nothing
  returning t.transaction_id into v_transaction_id;
  return v_transaction_id;
end;
$function$;
