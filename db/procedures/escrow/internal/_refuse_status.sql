-- Refuses to settle escrows of a project that is open, or that has the other outcome.
create or replace function pgwallet._refuse_status(
  p_project_id bigint,
  p_status pgwallet.project_status,
  p_needed pgwallet.project_status
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = 'PW205',
    message = format(
      case p_status when 'open' then 'project %s is not closed' else 'project %s has %s' end,
      p_project_id, p_status
    ),
    detail = format('Its status is %s, this needs %s.', p_status, p_needed),
    hint = case
      when p_status = 'open'
        then format('Call pgwallet.close_project(%s, %L) first.', p_project_id, p_needed)
      when p_status = 'failed' then 'Refund the escrows of a failed project.'
      else 'Release the escrows of a succeeded project; refund_escrow refunds a single one.'
    end;
end;
$function$;
