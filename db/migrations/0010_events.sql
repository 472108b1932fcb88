-- Events: what changed without moving money, and who changed it.
--
-- depends: 0009_postings

-- Cached values would let a later event carry a smaller id.
create sequence pgwallet.event_id_seq as bigint cache 1;

comment on sequence pgwallet.event_id_seq is 'Source of event ids.';

-- Stands in until the functions are installed, as _refuse_change does.
create function pgwallet._is_router()
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  return false;
end;
$function$;

-- Drawn by a transaction that has an xid, as the ids of transactions are, for the same reason.
create table pgwallet.event (
  event_id bigint not null default (
    case when pg_current_xact_id() is not null then nextval('pgwallet.event_id_seq') end
  ),
  subject_id bigint,
  created_at timestamptz not null default clock_timestamp(),
  -- A router says who asked it; anybody else may set this as well, and is not believed.
  changed_by name not null default (
    case
      when current_setting('pgwallet.caller', true) <> '' and pgwallet._is_router()
        then current_setting('pgwallet.caller')::name
      else session_user
    end
  ),
  kind text collate "C" not null check (length(kind) <= 200),
  reason text check (length(reason) <= 200),
  before jsonb,
  after jsonb,
  constraint event_pkey primary key (event_id)
) with (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_freeze_min_age = 0);

alter sequence pgwallet.event_id_seq owned by pgwallet.event.event_id;

create index event_subject_idx on pgwallet.event (subject_id, event_id)
where subject_id is not null;

-- The last check is asked for every minute.
create index event_check_idx on pgwallet.event (event_id)
where kind = 'record_check';

comment on table pgwallet.event is
'What changed without moving money, and who changed it; never updated or deleted.';
comment on column pgwallet.event.subject_id is
'Id of the wallet, pocket, project, escrow or account; null for settings, currencies and roles.';
comment on column pgwallet.event.changed_by is
'The role that the session began as; on a shard of a cluster, that on the router.';
comment on column pgwallet.event.kind is 'What happened, such as freeze_account.';
comment on column pgwallet.event.reason is 'What the caller gave as the reason.';
comment on column pgwallet.event.before is 'What changed, as it was; null for something new.';
comment on column pgwallet.event.after is 'What changed, as it is since then.';

create trigger refuse_change
before update or delete or truncate on pgwallet.event
for each statement execute function pgwallet._refuse_change();

create trigger refuse_row_change
before update or delete on pgwallet.event
for each row execute function pgwallet._refuse_change();

alter table pgwallet.event
enable always trigger refuse_change,
enable always trigger refuse_row_change;

-- Stands in until the functions are installed, as _refuse_change does.
create function pgwallet._record_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  return null;
end;
$function$;

-- Not in a subscriber of logical replication: the events come there too.
create trigger record_change
after update on pgwallet.settings
for each row when (old.* is distinct from new.*)
execute function pgwallet._record_change();

create trigger record_change
after update on pgwallet.currency
for each row when (old.* is distinct from new.*)
execute function pgwallet._record_change();
