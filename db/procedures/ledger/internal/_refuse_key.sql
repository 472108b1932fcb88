-- Refuses an idempotency key that was used for another call than this one, or that no transaction
-- has though none could be inserted with it.
--
-- Callers have looked for a transaction with the key and this request, in a statement of its own
-- after the insert: that has waited for the other transaction to end, and only later statements
-- see it.
create or replace function pgwallet._refuse_key(p_idempotency_key text, p_request text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_request text;
begin
  select t.request
  into v_request
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

  raise exception using
    errcode = 'PW203',
    message = format('idempotency key %L was used for another call', p_idempotency_key),
    detail = format('It was %s, and is now %s.', v_request, p_request),
    hint = 'Use one key for one call: repeat the same arguments, or take a new key.';
end;
$function$;
