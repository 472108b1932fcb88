-- Postings: every movement of money between two accounts.
--
-- depends: 0008_transactions

-- Cached values would let a later movement of an account carry a smaller id.
create sequence pgwallet.posting_id_seq as bigint cache 1;

comment on sequence pgwallet.posting_id_seq is 'Source of posting ids.';

-- No foreign keys: on this table two of them halved the speed of an allocation. The functions
-- insert only what they have locked, and check_ledger finds what a key would have refused.
-- Vacuumed as transactions are, for the same reason.
create table pgwallet.posting (
  posting_id bigint not null default nextval('pgwallet.posting_id_seq'),
  transaction_id bigint not null,
  source_account_id bigint not null,
  destination_account_id bigint not null,
  created_at timestamptz not null default clock_timestamp(),
  amount numeric not null,
  source_balance numeric,
  destination_balance numeric,
  constraint posting_pkey primary key (transaction_id, posting_id),
  constraint posting_amount_check check (amount > 0.0 and amount < 'infinity'),
  constraint posting_accounts_check check (source_account_id <> destination_account_id)
) with (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_freeze_min_age = 0);

alter sequence pgwallet.posting_id_seq owned by pgwallet.posting.posting_id;

-- Statements read along these. Accounts that keep no balance are left out: nearly every posting
-- touches one of them, and only what the platform earned is read often.
create index posting_source_idx on pgwallet.posting (source_account_id, posting_id)
where source_balance is not null;
create index posting_destination_idx on pgwallet.posting (destination_account_id, posting_id)
where destination_balance is not null;
create index posting_earned_idx on pgwallet.posting (destination_account_id, posting_id)
where source_balance is null and destination_balance is null;

-- Reads postings in the order of their ids, whatever their accounts: next to nothing to write.
create index posting_id_idx on pgwallet.posting using brin (posting_id)
with (pages_per_range = 32, autosummarize = on);

comment on table pgwallet.posting is
'One movement of money from an account to another; never updated or deleted.';
comment on column pgwallet.posting.posting_id is
'Assigned while the accounts are locked: in the order of an account''s balances.';
comment on column pgwallet.posting.amount is 'What moved, in major units.';
comment on column pgwallet.posting.source_balance is
'The source''s balance after this posting; null if that account keeps none, but for earnings.';
comment on column pgwallet.posting.destination_balance is
'The destination''s balance after this posting; null if that account keeps none.';

create trigger refuse_change
before update or delete or truncate on pgwallet.posting
for each statement execute function pgwallet._refuse_change();

create trigger refuse_row_change
before update or delete on pgwallet.posting
for each row execute function pgwallet._refuse_change();

alter table pgwallet.posting
enable always trigger refuse_change,
enable always trigger refuse_row_change;
