-- Wallets: who owns which wallet account.
--
-- depends: 0003_accounts

create table pgwallet.wallet (
  wallet_id bigint primary key references pgwallet.account,
  owner_id text collate "C" not null
  check (
    length(owner_id) <= 200 and owner_id
    ~ E'[^\\u0001-\\u0020\\u007f\\u0085\\u00a0\\u00ad\\u034f\\u061c\\u115f\\u1160'
    '\\u1680\\u17b4\\u17b5\\u180b-\\u180f\\u2000-\\u200f\\u2028-\\u202f\\u205f-'
    '\\u206f\\u2800\\u3000\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb'
    '\\U000e0000-\\U000e0fff]'
  ),
  owner_salt uuid default gen_random_uuid(),
  currency text collate "C" not null references pgwallet.currency,
  allocation_percentage numeric not null default 0,
  created_at timestamptz not null default now(),
  constraint wallet_owner_key unique (owner_id, currency),
  constraint wallet_allocation_check check (allocation_percentage between 0 and 100)
);

comment on table pgwallet.wallet is 'A wallet: the money of one owner in one currency.';
comment on column pgwallet.wallet.owner_id is 'The owner, as the application calls them.';
comment on column pgwallet.wallet.owner_salt is
'What the owner was digested with in the event that tells of the wallet; null once erased.';
comment on column pgwallet.wallet.allocation_percentage is
'Sum of the percentages of the wallet''s pockets, kept here so that it can never pass 100.';

create trigger refuse_change
before delete or truncate on pgwallet.wallet
for each statement execute function pgwallet._refuse_change();

create trigger refuse_row_change
before delete on pgwallet.wallet
for each row execute function pgwallet._refuse_change();

alter table pgwallet.wallet
enable always trigger refuse_change,
enable always trigger refuse_row_change;
