-- Takes from PUBLIC the functions that it may execute, as it may each one from its creation on, and
-- says true.
--
-- A constraint of the table deployment calls this for each row. So the functions are closed also in
-- a database that was restored without rights (pg_restore -x), where the rows of the tables come
-- after the functions: a dump holds nothing else that such a restore would run.
create or replace function pgwallet._close_to_public()
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_routine regprocedure;
begin
  for v_routine in
    select p.oid::regprocedure
    from pg_proc as p
    where p.pronamespace = 'pgwallet'::regnamespace
      and has_function_privilege('public', p.oid, 'execute')
      and not exists (
        select
        from pg_depend as d
        where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
      )
    order by p.oid
  loop
    execute format('revoke all on routine %s from public', v_routine);
  end loop;
  return true;
end;
$function$;
