-- Ends the installation of the functions, in the transaction that wrote them. Removes those that
-- the code no longer has, closes all to PUBLIC, gives the remembered accesses again and records
-- what is there now. Returns the signatures it removed.
--
-- Locks: the deployment.
create or replace function pgwallet._finish_install(p_source_hash text, p_version text)
returns setof text
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_stale text[];
  v_view regclass;
  v_grant pgwallet.role_grant;
begin
  perform pg_advisory_xact_lock(hashtextextended('pgwallet.deployment', 0));

  -- A row of pg_proc with an age above 0 was written before this transaction. Savepoints do not
  -- matter: their ids come after their transaction's own.
  select array_agg(i.signature order by i.signature)
  into v_stale
  from pgwallet.installed_routine as i
  where age(i.written_by) > 0;

  if 'pgwallet._finish_install(text,text)' = any (v_stale) then
    raise exception using
      errcode = '55000',
      message = 'the functions of pgwallet were not written by this transaction',
      detail = format('%s functions are older.', cardinality(v_stale)),
      hint = 'Run pgwallet migrate, or the whole output of pgwallet sql.';
  end if;

  if v_stale is not null then
    -- In one statement, because they may depend on each other.
    execute 'drop routine ' || array_to_string(v_stale, ', ');
  end if;

  revoke all on schema pgwallet from public;
  perform pgwallet._close_to_public();
  for v_view in
    select c.oid::regclass
    from pg_class as c
    where c.relnamespace = 'pgwallet'::regnamespace and c.relkind = 'v'
    order by c.relname
  loop
    execute format('revoke all on %s from public', v_view);
  end loop;

  for v_grant in
    select g.*
    from pgwallet.role_grant as g
    inner join pg_roles as r on r.rolname = g.role_name
    order by g.role_name, g.access
  loop
    perform pgwallet._grant(v_grant.role_name, v_grant.access);
  end loop;

  insert into pgwallet.deployment (source_hash, version, owner_name)
  select p_source_hash, p_version, pg_get_userbyid(n.nspowner)
  from pg_namespace as n
  where n.nspname = 'pgwallet';

  return query select unnest(v_stale);
end;
$function$;
