-- Refuses a rounding that does not exist.
create or replace function pgwallet._check_rounding(p_rounding text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if (p_rounding in ('half_up', 'largest_remainder')) is not true then
    raise exception using
      errcode = 'PW002',
      message = format('rounding %s is unknown', coalesce(quote_literal(left(p_rounding, 200)), 'null')),
      detail = 'There are half_up and largest_remainder.',
      hint = 'Leave it out for half_up; take largest_remainder to leave nothing over at 100 percent.';
  end if;
end;
$function$;
