-- What is on its way between shards, by currency, as this shard has it: below 0 what it received.
create or replace function pgwallet_shard.show_transit()
returns table (currency text, balance numeric)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select t.currency::text, pgwallet.balance(t.account_id)
  from pgwallet_shard.transit as t
  order by t.currency;
end;
$function$;
