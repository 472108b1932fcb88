-- Gives a role one of the accesses app, operator, auditor, monitor and remembers it. That is
-- usage of the schema, EXECUTE on the functions of that access, SELECT on its views: _rights_of
-- lists them.
--
-- Locks: the deployment, since two at once cannot change the rights of one function.
create or replace function pgwallet._grant(p_role name, p_access text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_names text[] := pgwallet._rights_of(p_access);
  v_routine regprocedure;
  v_view regclass;
begin
  -- PUBLIC is in no catalog of roles, so it is refused here too.
  if not exists (select from pg_roles as r where r.rolname = p_role) then
    raise exception using
      errcode = 'PW002',
      message = format('role %s does not exist', coalesce(quote_ident(p_role), 'null')),
      detail = format('The access asked for is %s.', p_access),
      hint = 'Name one existing role; PUBLIC is none and is never given access.';
  end if;

  perform pg_advisory_xact_lock(hashtextextended('pgwallet.deployment', 0));

  insert into pgwallet.role_grant (role_name, access)
  values (p_role, p_access)
  on conflict on constraint role_grant_pkey do nothing;

  execute format('grant usage on schema pgwallet to %I', p_role);

  for v_routine in
    select i.routine_id::regprocedure
    from pgwallet.installed_routine as i
    inner join pg_proc as p on p.oid = i.routine_id
    where p.proname = any (v_names)
    order by i.signature
  loop
    execute format('grant execute on routine %s to %I', v_routine, p_role);
  end loop;

  for v_view in
    select c.oid::regclass
    from pg_class as c
    where c.relnamespace = 'pgwallet'::regnamespace and c.relkind = 'v'
      and c.relname = any (v_names)
    order by c.relname
  loop
    execute format('grant select on %s to %I', v_view, p_role);
  end loop;
end;
$function$;
