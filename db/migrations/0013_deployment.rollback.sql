-- The functions go first, because they use types that the rollbacks after this one drop. The
-- function of a trigger, a check or a default goes with the migration that made that.
do $block$
declare
  v_routines text;
begin
  select string_agg(r.oid::regprocedure::text, ', ')
  into v_routines
  from pg_catalog.pg_proc r
  where r.pronamespace = 'pgwallet'::regnamespace
    and r.prorettype <> 'pg_catalog.trigger'::regtype
    and r.proname not in ('_close_to_public', '_is_router')
    and not exists (
      select from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = r.oid and d.deptype = 'e'
    );
  if v_routines is not null then
    execute 'drop routine ' || v_routines;
  end if;
end
$block$;

drop view pgwallet.installed_routine;
drop table pgwallet.deployment;
drop function pgwallet._close_to_public();
