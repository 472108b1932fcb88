-- What a router keeps: who may do what on it, and what was deployed. No money, no ids.
--
-- The tables are called as in a ledger, so that its functions for access and deployment serve here
-- word for word.

create table if not exists pgwallet.role_grant (
  role_name name not null,
  access text collate "C" not null,
  granted_at timestamptz not null default now(),
  constraint role_grant_pkey primary key (role_name, access),
  constraint role_grant_access_check check (access in ('app', 'operator', 'auditor', 'monitor'))
);

comment on table pgwallet.role_grant is
'Roles that a grant_ function was called for on this router.';

create table if not exists pgwallet.deployment (
  deployment_id bigint generated always as identity,
  version text collate "C" not null,
  source_hash text not null,
  deployed_at timestamptz not null default clock_timestamp(),
  deployed_by name not null default session_user,
  owner_name name not null default current_user,
  constraint deployment_pkey primary key (deployment_id)
);

comment on table pgwallet.deployment is
'One row for each time the functions of the router were installed.';

create table if not exists pgwallet._yoyo_migration (
  migration_hash varchar(64),
  migration_id varchar(255),
  applied_at_utc timestamp,
  constraint _yoyo_migration_pkey primary key (migration_hash)
);

comment on table pgwallet._yoyo_migration is
'Always empty: a router has no migrations of a ledger.';

create or replace view pgwallet.installed_routine as
select p.oid as routine_id, p.oid::regprocedure::text as signature, p.xmin as written_by
from pg_catalog.pg_proc as p
where p.pronamespace = 'pgwallet'::regnamespace;

comment on view pgwallet.installed_routine is
'The functions and procedures as they are in this schema now.';

create table if not exists pgwallet_router.gate ();

comment on table pgwallet_router.gate is
'No rows: each call that writes on several shards shares a lock on it, so that a move has it wait.';
