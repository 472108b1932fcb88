-- Transactions: what one call did.
--
-- depends: 0007_escrows

create domain pgwallet.transaction_kind as text collate "C"
constraint transaction_kind_known check (
  value in (
    'deposit', 'withdrawal', 'allocation', 'transfer_to_pocket', 'transfer_from_pocket',
    'transfer', 'pocket_closing', 'pledge', 'pledge_change', 'release', 'refund',
    'release_refund', 'payout', 'collection', 'reversal'
  )
);

comment on domain pgwallet.transaction_kind is 'What a transaction did.';

create sequence pgwallet.transaction_id_seq as bigint;

comment on sequence pgwallet.transaction_id_seq is 'Source of transaction ids.';

-- An id is drawn by a transaction that has an xid, so that who waits for earlier xids to end knows
-- that no transaction up to an id comes later: that is what a seal rests on.
--
-- A row hardly ever changes, so the first vacuum that sees it freezes it, and no later one has to
-- write its page again; it comes after 2 % of new rows, not 20.
create table pgwallet.transaction (
  transaction_id bigint primary key default (
    case when pg_current_xact_id() is not null then nextval('pgwallet.transaction_id_seq') end
  ),
  created_at timestamptz not null default clock_timestamp(),
  escrow_id bigint,
  reversed_transaction_id bigint,
  effective_at timestamptz,
  settled_count integer,
  kind pgwallet.transaction_kind not null,
  idempotency_key text collate "C",
  request text,
  metadata jsonb,
  metadata_digest bytea,
  constraint transaction_key_check check ((idempotency_key is null) = (request is null))
) with (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_freeze_min_age = 0);

-- Partial, so that calls without a key do not pay for it.
create unique index transaction_idempotency_key on pgwallet.transaction (idempotency_key)
where idempotency_key is not null;

-- A transaction is reversed once.
create unique index transaction_reversed_key on pgwallet.transaction (reversed_transaction_id)
where reversed_transaction_id is not null;

-- The few that change what a pledge was, take a release back or collect earnings: no account has an
-- index of what leaves it as commission or fee.
create index transaction_correction_idx on pgwallet.transaction (transaction_id)
where kind in ('pledge_change', 'release_refund', 'collection');

-- What may have happened at another time than it was recorded. Those that do not say so do not pay
-- for it.
create index transaction_effective_idx on pgwallet.transaction (effective_at)
where effective_at is not null;

alter sequence pgwallet.transaction_id_seq owned by pgwallet.transaction.transaction_id;

comment on table pgwallet.transaction is
'What one call did; never deleted, nor updated but where metadata are erased.';
comment on column pgwallet.transaction.created_at is 'When it was recorded.';
comment on column pgwallet.transaction.escrow_id is
'The escrow that it made, released or refunded; null for others and for batches.';
comment on column pgwallet.transaction.reversed_transaction_id is
'Of a reversal: the transaction that it took back.';
comment on column pgwallet.transaction.metadata_digest is
'SHA-256 of the UTF-8 text of the metadata that were erased with their owner; else null.';
comment on column pgwallet.transaction.effective_at is
'When it happened outside, where the caller said so.';
comment on column pgwallet.transaction.settled_count is
'Of a batch of releases, which posts their sums: how many escrows it took the last of; else null.';
comment on column pgwallet.transaction.idempotency_key is
'The caller''s name for this call: the same key again moves nothing again.';
comment on column pgwallet.transaction.request is
'Function, ids, amount and rounding of a call with a key, to tell the same call from another.';

-- For erase_owner, which no posting leads to the transactions that released an escrow. Those that
-- carry no metadata do not pay for it.
create index transaction_escrow_idx on pgwallet.transaction (escrow_id)
where metadata is not null and escrow_id is not null and kind <> 'pledge';

-- Metadata may be erased, row by row, with their digest in their place; the function sees to that.
create trigger refuse_change
before update of
transaction_id, created_at, escrow_id, reversed_transaction_id, effective_at, settled_count,
kind, idempotency_key, request
or delete or truncate on pgwallet.transaction
for each statement execute function pgwallet._refuse_change();

create trigger refuse_row_change
before update or delete on pgwallet.transaction
for each row execute function pgwallet._refuse_change();

-- Once more, when no other trigger can change the row any more.
create trigger refuse_changed_row
after update on pgwallet.transaction
for each row execute function pgwallet._refuse_change();

alter table pgwallet.transaction
enable always trigger refuse_change,
enable always trigger refuse_row_change,
enable always trigger refuse_changed_row;
