-- Pockets: parts of a wallet that deposits are split over.
--
-- depends: 0004_wallets

create table pgwallet.pocket (
  pocket_id bigint primary key references pgwallet.account,
  wallet_id bigint not null references pgwallet.wallet,
  name text collate "C" not null check (
    length(name) <= 200 and name
    ~ E'[^\\u0001-\\u0020\\u007f\\u0085\\u00a0\\u00ad\\u034f\\u061c\\u115f\\u1160'
    '\\u1680\\u17b4\\u17b5\\u180b-\\u180f\\u2000-\\u200f\\u2028-\\u202f\\u205f-'
    '\\u206f\\u2800\\u3000\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb'
    '\\U000e0000-\\U000e0fff]'
  ),
  allocation_percentage numeric not null default 0
  check (allocation_percentage between 0 and 100),
  pocket_type text check (length(pocket_type) <= 200),
  target_amount numeric check (target_amount > 0 and target_amount < 1000000000000000),
  created_at timestamptz not null default now(),
  closed_at timestamptz,
  stop_at_target boolean not null default false,
  takes_rest boolean not null default false,
  constraint pocket_stop_check check (not stop_at_target or target_amount is not null),
  constraint pocket_rest_check check (not takes_rest or allocation_percentage = 0),
  constraint pocket_closed_check
  check (closed_at is null or (allocation_percentage = 0 and not takes_rest))
);

-- A closed pocket leaves its name to others.
create unique index pocket_name_key on pgwallet.pocket (wallet_id, name)
where closed_at is null;

create unique index pocket_rest_key on pgwallet.pocket (wallet_id)
where takes_rest;

-- The order in which they take part in an allocation, so that none has to sort them.
create index pocket_allocation_idx on pgwallet.pocket (
  wallet_id, allocation_percentage desc, pocket_id
)
where allocation_percentage > 0;

comment on table pgwallet.pocket is 'A part of a wallet, with the share of deposits it receives.';
comment on column pgwallet.pocket.allocation_percentage is
'Percentage of an allocated deposit that the pocket receives, with up to four decimals.';
comment on column pgwallet.pocket.pocket_type is 'What the application uses the pocket for.';
comment on column pgwallet.pocket.target_amount is
'What the owner wants to save, in major units.';
comment on column pgwallet.pocket.closed_at is
'When it was closed, as its account says too; null while it is open.';
comment on column pgwallet.pocket.stop_at_target is
'Whether an allocation gives it no more than it lacks of its target.';
comment on column pgwallet.pocket.takes_rest is
'Whether it receives what the other pockets leave of an allocation; one of a wallet at most.';

create trigger refuse_change
before delete or truncate on pgwallet.pocket
for each statement execute function pgwallet._refuse_change();

create trigger refuse_row_change
before delete on pgwallet.pocket
for each row execute function pgwallet._refuse_change();

alter table pgwallet.pocket
enable always trigger refuse_change,
enable always trigger refuse_row_change;
