-- Refuses an argument that is malformed.
create or replace function pgwallet._refuse_argument(p_message text, p_detail text, p_hint text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = 'PW002', message = p_message, detail = p_detail, hint = p_hint;
end;
$function$;

comment on function pgwallet._refuse_argument(text, text, text) is
'Refuses an argument that is malformed. Raises: PW002.';
