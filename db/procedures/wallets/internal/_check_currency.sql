-- Refuses a code that is none, or more decimals than a currency can have.
create or replace function pgwallet._check_currency(p_currency text, p_exponent integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if (p_currency collate "C" ~ '^[A-Z0-9]{2,12}$') is not true then
    raise exception using
      errcode = 'PW002',
      message = format(
        'currency %s is not valid', coalesce(quote_literal(left(p_currency, 200)), 'null')
      ),
      detail = 'A code has 2 to 12 capital letters and digits.',
      hint = 'Pass one such as POINTS; with four characters or more it never meets ISO 4217.';
  elsif (p_exponent between 0 and 18) is not true then
    raise exception using
      errcode = 'PW002',
      message = format('exponent %s is not valid', coalesce(p_exponent::text, 'null')),
      detail = 'A currency has 0 to 18 decimals.',
      hint = 'Pass 0 for points that have no parts, 2 for cents.';
  end if;
end;
$function$;
