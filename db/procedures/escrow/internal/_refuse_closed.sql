-- Refuses what needs an open project, or one closed with the other outcome.
create or replace function pgwallet._refuse_closed(
  p_project_id bigint,
  p_status pgwallet.project_status
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = 'PW204',
    message = format('project %s is closed', p_project_id),
    detail = format('It has %s.', p_status),
    hint = 'Only an open project takes, changes and cancels pledges; the outcome of a closed one is '
      'final, and an operator settles its escrows.';
end;
$function$;
