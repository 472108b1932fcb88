-- Escrows: pledges, locked until they are released or refunded.
--
-- depends: 0006_projects

create domain pgwallet.escrow_status as text collate "C"
constraint escrow_status_known check (
  value in ('locked', 'disputed', 'released', 'refunded', 'expired', 'settled')
);

comment on domain pgwallet.escrow_status is
'Locked while anything is left in the escrow, or disputed while a dispute holds that; then '
'released, refunded, expired (refunded for that reason) or settled (some of both).';

-- No foreign keys: each would cost a query a pledge, and the one to the project would share a
-- lock on its row. The functions look both up, and check_ledger finds what they would miss.
create table pgwallet.escrow (
  escrow_id bigint primary key,
  project_id bigint not null,
  wallet_id bigint not null,
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  status pgwallet.escrow_status not null default 'locked',
  amount numeric not null,
  released_amount numeric not null default 0,
  refunded_amount numeric not null default 0,
  commission_amount numeric not null default 0,
  fee_amount numeric not null default 0,
  net_amount numeric not null default 0,
  settled_by bigint,
  reopenings bigint[],
  constraint escrow_amount_check check (amount > 0.0 and amount < 1e15),
  constraint escrow_parts_check check (
    released_amount >= 0.0 and refunded_amount >= 0.0
    and released_amount + refunded_amount <= amount
    and commission_amount >= 0.0 and fee_amount >= 0.0
    and commission_amount + fee_amount + net_amount = released_amount
  ),
  constraint escrow_status_check
  check ((status in ('locked', 'disputed')) = (released_amount + refunded_amount < amount))
);

-- Batches walk along these, each from where the last one ended, past what is disputed: that is
-- held like the rest, and an index of its own would cost every pledge.
create index escrow_locked_idx on pgwallet.escrow (project_id, escrow_id)
where status in ('locked', 'disputed');
-- What expires, and what a dispute holds: both are looked for by their status first.
create index escrow_waiting_idx on pgwallet.escrow (status, expires_at, escrow_id)
where (status = 'locked' and expires_at is not null) or status = 'disputed';

-- For reading one project's other escrows, in pages. Pledges do not pay for it.
create index escrow_settled_idx on pgwallet.escrow (project_id, escrow_id)
where status not in ('locked', 'disputed');

comment on table pgwallet.escrow is 'A pledge: money of a wallet, locked for a project.';
comment on column pgwallet.escrow.expires_at is
'From when on it is only refunded, unless the project has succeeded by then; null for never.';
comment on column pgwallet.escrow.amount is 'What was pledged, in major units.';
comment on column pgwallet.escrow.released_amount is
'What was released so far: commission, fee and net together.';
comment on column pgwallet.escrow.refunded_amount is 'What went back to the wallet so far.';
comment on column pgwallet.escrow.net_amount is
'What the project has of it; below 0 where a release was refunded but its fees kept.';
comment on column pgwallet.escrow.settled_by is
'The transaction that took the last of it, which may be a batch; null while anything is left.';
comment on column pgwallet.escrow.reopenings is
'Pairs of transactions: what took the last of it, and what locked it again; null if none did.';

create trigger refuse_change
before delete or truncate on pgwallet.escrow
for each statement execute function pgwallet._refuse_change();

create trigger refuse_row_change
before delete on pgwallet.escrow
for each row execute function pgwallet._refuse_change();

alter table pgwallet.escrow
enable always trigger refuse_change,
enable always trigger refuse_row_change;
