-- Gives a role reading of balances and statements, and check_ledger. It moves nothing.
create or replace function pgwallet.grant_auditor(p_role name)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet._grant(p_role, 'auditor');
end;
$function$;

comment on function pgwallet.grant_auditor(name) is
'Gives a role reading and check_ledger, now and after every deployment. Owner only. '
'Raises: PW002.';
