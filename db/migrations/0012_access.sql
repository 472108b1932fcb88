-- Which role was given which access, so that every deployment gives it again.
--
-- depends: 0011_seals

create table pgwallet.role_grant (
  role_name name not null,
  access text collate "C" not null,
  granted_at timestamptz not null default now(),
  constraint role_grant_pkey primary key (role_name, access),
  constraint role_grant_access_check check (access in ('app', 'operator', 'auditor', 'monitor'))
);

comment on table pgwallet.role_grant is
'Roles that a grant_ function was called for. To take an access away, '
'delete the row and run: revoke execute on all routines in schema pgwallet from the_role; '
'revoke select on all tables in schema pgwallet from the_role.';

comment on column pgwallet.role_grant.role_name is
'The role as it is called in pg_roles; a role that was dropped is skipped.';

create trigger record_change
after insert or update or delete on pgwallet.role_grant
for each row execute function pgwallet._record_change();
