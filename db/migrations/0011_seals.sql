-- Seals: what the history was up to a point, so that no later change of it goes unnoticed.
--
-- depends: 0010_events

-- All of the history up to three ids: the postings, the transactions and the events.
create table pgwallet.seal (
  seal_id bigint not null,
  sealed_at timestamptz not null,
  posting_id bigint not null,
  transaction_id bigint not null,
  event_id bigint not null,
  latest_at timestamptz not null,
  digest bytea not null check (length(digest) = 32),
  constraint seal_pkey primary key (seal_id)
);

comment on table pgwallet.seal is
'What the history was up to a point: a digest over it and the seal before; never updated or '
'deleted.';
comment on column pgwallet.seal.seal_id is 'Counted from 1, without a gap.';
comment on column pgwallet.seal.sealed_at is
'What was recorded until then is sealed: nothing of it comes later.';
comment on column pgwallet.seal.posting_id is 'No posting up to this id comes later.';
comment on column pgwallet.seal.transaction_id is 'No transaction up to this id comes later.';
comment on column pgwallet.seal.event_id is 'No event up to this id comes later.';
comment on column pgwallet.seal.latest_at is
'When the latest of all these postings was recorded; -infinity where there is none.';
comment on column pgwallet.seal.digest is
'SHA-256 over the digest of the seal before and what was recorded since.';

create trigger refuse_change
before update or delete or truncate on pgwallet.seal
for each statement execute function pgwallet._refuse_change();

create trigger refuse_row_change
before update or delete on pgwallet.seal
for each row execute function pgwallet._refuse_change();

alter table pgwallet.seal
enable always trigger refuse_change,
enable always trigger refuse_row_change;

-- A row only where it changed. The last one up to a seal is what the account came to then, so to
-- know a balance takes what was posted since.
create table pgwallet.seal_balance (
  account_id bigint not null,
  seal_id bigint not null,
  balance numeric not null,
  constraint seal_balance_pkey primary key (account_id, seal_id)
);

comment on table pgwallet.seal_balance is
'What an account without a balance of its own came to at a seal; never updated or deleted.';
comment on column pgwallet.seal_balance.seal_id is 'At this seal, and up to the next one here.';
comment on column pgwallet.seal_balance.balance is 'All postings up to the seal, in major units.';

create trigger refuse_change
before update or delete or truncate on pgwallet.seal_balance
for each statement execute function pgwallet._refuse_change();

create trigger refuse_row_change
before update or delete on pgwallet.seal_balance
for each row execute function pgwallet._refuse_change();

alter table pgwallet.seal_balance
enable always trigger refuse_change,
enable always trigger refuse_row_change;

-- A row only where it changed: as a rule one a seal, of the month that it is. The last one of a
-- month is what moved in it.
create table pgwallet.seal_flow (
  seal_id bigint not null,
  currency text collate "C" not null,
  month date not null,
  deposit_count bigint not null,
  withdrawal_count bigint not null,
  pledge_count bigint not null,
  release_count bigint not null,
  refund_count bigint not null,
  payout_count bigint not null,
  collection_count bigint not null,
  deposited numeric not null,
  withdrawn numeric not null,
  pledged numeric not null,
  released numeric not null,
  refunded numeric not null,
  commission numeric not null,
  fee numeric not null,
  net numeric not null,
  paid_out numeric not null,
  collected numeric not null,
  constraint seal_flow_pkey primary key (month, currency, seal_id)
);

comment on table pgwallet.seal_flow is
'What had moved in a month up to a seal, as platform_summary counts it; never updated or deleted.';
comment on column pgwallet.seal_flow.month is 'First day of the month, in UTC.';
comment on column pgwallet.seal_flow.seal_id is 'At this seal, and up to the next one here.';

create trigger refuse_change
before update or delete or truncate on pgwallet.seal_flow
for each statement execute function pgwallet._refuse_change();

create trigger refuse_row_change
before update or delete on pgwallet.seal_flow
for each row execute function pgwallet._refuse_change();

alter table pgwallet.seal_flow
enable always trigger refuse_change,
enable always trigger refuse_row_change;

-- A row only where something of it was posted. The last one of a project is what its pledges came
-- to then.
create table pgwallet.seal_project (
  project_id bigint not null,
  seal_id bigint not null,
  pledge_count bigint not null,
  settled_count bigint not null,
  pledged numeric not null,
  refunded numeric not null,
  commission numeric not null,
  fee numeric not null,
  net numeric not null,
  constraint seal_project_pkey primary key (project_id, seal_id)
);

comment on table pgwallet.seal_project is
'What the pledges to a project came to at a seal, as get_project tells it; never updated or '
'deleted.';
comment on column pgwallet.seal_project.seal_id is 'At this seal, and up to the next one here.';
comment on column pgwallet.seal_project.settled_count is
'How many of the pledges had nothing left that was neither released nor refunded.';

create trigger refuse_change
before update or delete or truncate on pgwallet.seal_project
for each statement execute function pgwallet._refuse_change();

create trigger refuse_row_change
before update or delete on pgwallet.seal_project
for each row execute function pgwallet._refuse_change();

alter table pgwallet.seal_project
enable always trigger refuse_change,
enable always trigger refuse_row_change;
