-- Refuses a call that needs the row of settings where somebody took it away.
create or replace function pgwallet._refuse_missing_settings()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = '55000',
    message = 'pgwallet.settings has no row',
    detail = 'Rates and limits are read from it, so nothing was done.',
    hint = 'Have a DBA run: insert into pgwallet.settings default values, and set what was there.';
end;
$function$;
