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

create table pgwallet.deployed_routine (
  signature text collate "C" not null,
  definition_hash text not null,
  constraint deployed_routine_pkey primary key (signature)
);

comment on table pgwallet.deployed_routine is
'The functions and procedures as the last deployment left them.';

-- Who reads this view sets search_path to pg_catalog, pg_temp first: names of types in
-- signatures and definitions are qualified by it. Granting a function to PUBLIC counts as an
-- edit. Extensions may live in this schema, their functions are no business of a deployment.
create view pgwallet.installed_routine as
select
  p.oid as routine_id,
  p.oid::regprocedure::text as signature,
  p.xmin as written_by,
  encode(
    sha256(
      convert_to(
        concat_ws(
          E'\n',
          case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end,
          obj_description(p.oid, 'pg_proc'),
          has_function_privilege('public', p.oid, 'execute')::text
        ),
        'UTF8'
      )
    ),
    'hex'
  ) as definition_hash
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
'The functions and procedures as they are in this schema now, to compare with deployed_routine.';
