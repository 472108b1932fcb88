-- Refuses to take back a transaction as a reversal on one database would, before any part is done.
create or replace function pgwallet_shard.check_reversal(p_transaction_id bigint)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet._check_reversal(p_transaction_id, null, false);
  return true;
end;
$function$;
