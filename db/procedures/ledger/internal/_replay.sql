-- Finds the transaction that used a key first, for a call that came second with the same request.
--
-- Waits for nothing: the insert that met the key has waited for its transaction to end. Only
-- its own statement sees that transaction, so callers do this after the insert.
create or replace function pgwallet._replay(p_idempotency_key text, p_request text)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_transaction_id bigint;
  v_request text;
begin
  select t.transaction_id, t.request
  into v_transaction_id, v_request
  from pgwallet.transaction as t
  where t.idempotency_key = p_idempotency_key collate "C";
  if not found then
    raise exception using
      errcode = '55000',
      message = 'a transaction was not recorded, and none has its idempotency key',
      detail = format('The key is %L. Nothing was moved.', p_idempotency_key),
      hint = 'Have a DBA look for triggers, rules and indexes on pgwallet.transaction that are not '
        'of pgwallet, and run: reindex table pgwallet.transaction. Then repeat the call.';
  end if;

  if v_request is distinct from p_request then
    raise exception using
      errcode = 'PW203',
      message = format('idempotency key %L was used for another call', p_idempotency_key),
      detail = format('It was %s, and is now %s.', v_request, p_request),
      hint = 'Use one key for one call: repeat the same arguments, or take a new key.';
  end if;
  return v_transaction_id;
end;
$function$;
