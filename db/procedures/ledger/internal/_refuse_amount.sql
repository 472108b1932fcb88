-- Refuses an amount that no account could hold: null, NaN, infinite, not above 0, or too large.
create or replace function pgwallet._refuse_amount(p_amount numeric)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = 'PW001',
    message = format('amount %s is not valid', coalesce(p_amount::text, 'null')),
    detail = 'An amount is a number above 0 and below 1000000000000000, in major units.',
    hint = 'Pass an amount such as 12.34.';
end;
$function$;
