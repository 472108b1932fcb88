-- Makes a currency on its home, with ids that all shards will use, or returns it again.
create or replace function pgwallet_shard.open_currency(
  p_currency text,
  p_exponent integer,
  p_name text
)
returns table (
  currency text, exponent integer, name text,
  external_account_id bigint, commission_account_id bigint, fee_account_id bigint
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select c.*
  from pgwallet._create_currency(
    p_currency, p_exponent, p_name,
    array[
      nextval('pgwallet_shard.project_id_seq') * 1024,
      nextval('pgwallet_shard.project_id_seq') * 1024,
      nextval('pgwallet_shard.project_id_seq') * 1024
    ]
  ) as c;
end;
$function$;
