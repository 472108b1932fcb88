-- Refuses to read by a time that does not exist.
create or replace function pgwallet._check_by(p_by text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if (p_by in ('recorded', 'effective')) is not true then
    raise exception using
      errcode = 'PW002',
      message = format('by %s is unknown', coalesce(quote_literal(left(p_by, 200)), 'null')),
      detail = 'A movement has two times: when it was recorded, and when it happened outside.',
      hint = 'Leave it out for recorded; pass effective to go by what effective_at says.';
  end if;
end;
$function$;
