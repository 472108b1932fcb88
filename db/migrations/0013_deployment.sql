-- What the last deployment installed, so that an edit made by hand since then shows.
--
-- depends: 0012_access

-- Stands in until the functions are installed, as _refuse_change does.
create function pgwallet._close_to_public()
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  return true;
end;
$function$;

create table pgwallet.deployment (
  deployment_id bigint generated always as identity,
  version text collate "C" not null,
  source_hash text not null,
  deployed_at timestamptz not null default clock_timestamp(),
  deployed_by name not null default session_user,
  owner_name name not null default current_user,
  constraint deployment_pkey primary key (deployment_id),
  -- Always true. It is for a restore without rights, where the functions come before this row.
  constraint deployment_closed_check check (pgwallet._close_to_public())
);

comment on table pgwallet.deployment is
'One row for each time the functions were installed; the last one is what is there now.';

comment on column pgwallet.deployment.version is
'The version of pgwallet that was installed, such as 0.1.0.';
comment on column pgwallet.deployment.source_hash is
'SHA-256, in hex, of the text of all files in db/procedures.';

comment on column pgwallet.deployment.owner_name is
'Whom the schema belonged to: it is to stay theirs.';

-- Who reads this view sets search_path to pg_catalog, pg_temp first: names of types in signatures
-- are qualified by it. Extensions may live in this schema, their functions are no business of a
-- deployment.
create view pgwallet.installed_routine as
select p.oid as routine_id, p.oid::regprocedure::text as signature, p.xmin as written_by
from pg_catalog.pg_proc as p
inner join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
where
  n.nspname = 'pgwallet'
  and not exists (
    select
    from pg_catalog.pg_depend as d
    where
      d.classid = 'pg_catalog.pg_proc'::regclass
      and d.objid = p.oid
      and d.deptype = 'e'
  );

comment on view pgwallet.installed_routine is
'The functions and procedures as they are in this schema now.';
