-- Gives a role what an application needs, and closing, releasing, refunding, paying out, and
-- check_ledger.
create or replace function pgwallet.grant_operator(p_role name)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet._grant(p_role, 'operator');
end;
$function$;

comment on function pgwallet.grant_operator(name) is
'Gives a role what app has and the end of projects, now and after every deployment. Owner only. '
'Raises: PW002.';
