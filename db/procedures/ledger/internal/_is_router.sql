-- Whether a router of a cluster asks: the session began as a role that was given the schema of what
-- routers call. Only the owner's counts: whoever may create schemas could have one of that name.
create or replace function pgwallet._is_router()
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  -- Whoever writes has the rights of the owner here.
  return exists (
    select
    from pg_namespace as n
    cross join lateral aclexplode(n.nspacl) as a
    inner join pg_roles as r on r.oid = a.grantee
    where n.nspname = 'pgwallet_call' and pg_has_role(n.nspowner, current_user, 'member')
      and a.grantee <> n.nspowner and r.rolname = session_user
  );
end;
$function$;
