-- Refuses a time that clients cannot hold: infinite, past the year 9999, or before the year 1.
create or replace function pgwallet._check_time(p_name text, p_time timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_time >= '10000-01-01 00:00:00+00' or p_time < '0001-01-01 00:00:00+00' then
    raise exception using
      errcode = 'PW002',
      message = format('%s is out of range', p_name),
      detail = format('It is %s; the years 1 to 9999 are allowed.', p_time),
      hint = 'Pass a time that exists, or null.';
  end if;
end;
$function$;
