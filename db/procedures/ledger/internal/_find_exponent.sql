-- Finds the number of decimals of a currency, and refuses a currency that is unknown.
create or replace function pgwallet._find_exponent(p_currency text)
returns integer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_exponent integer;
begin
  select c.exponent into v_exponent
  from pgwallet.currency as c where c.currency = p_currency collate "C";
  if not found then
    raise exception using
      errcode = 'PW003',
      message = format(
        'currency %s is unknown', coalesce(quote_literal(left(p_currency, 200)), 'null')
      ),
      detail = 'There are those of ISO 4217, by their codes in capitals, and those that were created here.',
      hint = 'Use a code such as EUR, USD or JPY; the owner adds others by pgwallet.create_currency.';
  end if;
  return v_exponent;
end;
$function$;
