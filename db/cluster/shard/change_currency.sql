-- Makes a currency of this shard what it is in the whole cluster.
create or replace function pgwallet_shard.change_currency(p_code text, p_currency jsonb)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  update pgwallet.currency as c
  set
    currency = n.currency,
    name = n.name,
    exponent = n.exponent,
    max_pledge = n.max_pledge,
    external_account_id = n.external_account_id,
    commission_account_id = n.commission_account_id,
    fee_account_id = n.fee_account_id
  from jsonb_populate_record(null::pgwallet.currency, p_currency) as n
  where c.currency = p_code collate "C";
  return true;
end;
$function$;
