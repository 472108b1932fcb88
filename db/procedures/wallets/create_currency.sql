-- Makes a currency, with its three accounts, or returns the one that is there.
--
-- Locks: see _create_currency.
create or replace function pgwallet.create_currency(
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
  perform pgwallet._check_alone('create_currency');
  return query
  select c.*
  from pgwallet._create_currency(p_currency, p_exponent, p_name, null) as c;
end;
$function$;

comment on function pgwallet.create_currency(text, integer, text) is
'Makes a currency, or returns it again. Owner only. Raises: PW002.';
