-- Gives a role what an application needs: wallets, pockets, deposits, withdrawals, allocation,
-- transfers, pledges, creating projects, and reading.
create or replace function pgwallet.grant_app(p_role name)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet._grant(p_role, 'app');
end;
$function$;

comment on function pgwallet.grant_app(name) is
'Gives a role what an application needs, now and after every deployment. Owner only. '
'Raises: PW002.';
