-- Inserts the transaction of a call with a key. Null when the key was used already: _replay then
-- finds its transaction, or refuses another request.
--
-- Locks: the idempotency key. A call with the same key waits here until this one has ended.
create or replace function pgwallet._claim_key(
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
  on conflict do nothing
  returning t.transaction_id into v_transaction_id;
  return v_transaction_id;
end;
$function$;

comment on function pgwallet._claim_key(
  pgwallet.transaction_kind, text, text, jsonb, timestamptz, bigint
) is
'Inserts the transaction of a call with a key; null when the key was used already.';
