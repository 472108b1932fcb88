-- Makes the settings of this shard those of the whole cluster.
create or replace function pgwallet_shard.change_settings(p_settings jsonb)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  update pgwallet.settings as s
  set
    commission_rate = n.commission_rate,
    fee_rate = n.fee_rate,
    fee_fixed = n.fee_fixed,
    max_pledge = n.max_pledge,
    max_pockets_per_allocation = n.max_pockets_per_allocation,
    max_metadata_bytes = n.max_metadata_bytes
  from jsonb_populate_record(null::pgwallet.settings, p_settings) as n;
  return true;
end;
$function$;
