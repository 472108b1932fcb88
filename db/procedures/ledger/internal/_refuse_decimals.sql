-- Refuses an amount with more decimals than its currency has.
create or replace function pgwallet._refuse_decimals(
  p_amount numeric,
  p_currency text,
  p_exponent integer
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = 'PW001',
    message = format('amount %s has too many decimals for %s', p_amount, p_currency),
    detail = format(
      '%s has %s decimals, the amount %s.', p_currency, p_exponent, scale(trim_scale(p_amount))
    ),
    hint = 'Round the amount as your rules say, then call again.';
end;
$function$;
