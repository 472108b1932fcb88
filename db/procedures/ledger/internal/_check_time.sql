-- Refuses a time that clients cannot hold: infinite, past the year 9999, or before the year 1, in
-- whatever time zone they show it.
create or replace function pgwallet._check_time(p_name text, p_time timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_time >= '9999-12-30 00:00:00+00' or p_time < '0001-01-03 00:00:00+00' then
    raise exception using
      errcode = 'PW002',
      message = format('%s is out of range', p_name),
      detail = format('It is %s; 3 January of the year 1 to 29 December 9999 are allowed.', p_time),
      hint = 'Pass a time that exists, or null.';
  end if;
end;
$function$;
