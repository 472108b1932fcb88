-- Refuses an id for a project that something else has.
create or replace function pgwallet._refuse_project_id(p_project_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet._refuse_argument(
    format('project_id %s is in use', p_project_id),
    'An id is given once.',
    'Leave it out to get the next one.'
  );
end;
$function$;

comment on function pgwallet._refuse_project_id(bigint) is
'Refuses an id for a project that something else has. Raises: PW002.';
