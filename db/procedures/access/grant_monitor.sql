-- Gives a role counts and sums of the whole ledger, for metrics and alerts: no owner, no metadata,
-- no single account.
create or replace function pgwallet.grant_monitor(p_role name)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet._grant(p_role, 'monitor');
end;
$function$;

comment on function pgwallet.grant_monitor(name) is
'Gives a role counts and sums for metrics, now and after every deployment. Owner only. '
'Raises: PW002.';
