-- Refuses a limit that is null or below 1.
create or replace function pgwallet._check_limit(p_limit integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if (p_limit >= 1) is not true then
    raise exception using
      errcode = 'PW002',
      message = format('limit %s is not valid', coalesce(p_limit::text, 'null')),
      detail = 'A limit is a number from 1 up.',
      hint = 'Pass a number such as 1000, or leave it out.';
  end if;
end;
$function$;
