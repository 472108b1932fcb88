-- Whether an escrow of a project that expires at a time is only refunded by now. Once it is, it
-- stays so: the time of a closing is later than that of the expiry.
create or replace function pgwallet._has_expired(p_project_id bigint, p_expires_at timestamptz)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_expired boolean;
begin
  select p_expires_at <= coalesce(
    case p.status when 'succeeded' then p.closed_at end, clock_timestamp()
  )
  into v_expired
  from pgwallet.project as p
  where p.project_id = p_project_id;
  return v_expired;
end;
$function$;
