-- Refuses the id of a transaction that is null or unknown.
create or replace function pgwallet._refuse_missing_transaction(p_transaction_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = 'PW002',
    message = format('transaction %s does not exist', coalesce(p_transaction_id::text, 'null')),
    detail = 'No call that was committed has this id.',
    hint = 'Use the transaction_id that a call returned, or find_transaction with its key.';
end;
$function$;
