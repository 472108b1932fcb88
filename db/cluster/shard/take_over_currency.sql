-- Makes a currency that another shard has and this one lacks, with the same accounts and limit.
create or replace function pgwallet_shard.take_over_currency(
  p_currency text,
  p_exponent integer,
  p_name text,
  p_account_ids bigint[],
  p_max_pledge numeric
)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet._create_currency(p_currency, p_exponent, p_name, p_account_ids);
  update pgwallet.currency as c
  set max_pledge = p_max_pledge
  where c.currency = p_currency collate "C" and c.max_pledge is distinct from p_max_pledge;
  return true;
end;
$function$;
