-- Refuses a pledge above the limit of its project.
create or replace function pgwallet._refuse_limit(
  p_project_id bigint,
  p_amount numeric,
  p_max_pledge numeric
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = 'PW301',
    message = format('a pledge of %s is too large for project %s', p_amount, p_project_id),
    detail = format('Its limit of one pledge is %s.', p_max_pledge),
    hint = 'Pledge less, or in several pledges.';
end;
$function$;
