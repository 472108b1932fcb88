-- Accounts: whatever holds money, in one currency.
--
-- depends: 0002_settings

create type pgwallet.account_kind as enum (
  'wallet', 'pocket', 'project', 'escrow', 'commission', 'fee', 'external'
);

comment on type pgwallet.account_kind is
'What an account is for. Wallet, pocket and project keep a balance, the others only pass money on.';

-- A balance is updated with every movement, so pages keep room for the new version of a row.
create table pgwallet.account (
  account_id bigint primary key,
  external_account_id bigint,
  created_at timestamptz not null default now(),
  kind pgwallet.account_kind not null,
  currency text not null references pgwallet.currency,
  balance numeric,
  constraint account_balance_check check (balance >= 0 and balance < 'infinity'),
  constraint account_kind_check
  check ((balance is not null) = (kind in ('wallet', 'pocket', 'project')))
) with (fillfactor = 70);

comment on table pgwallet.account is 'Whatever holds money, in one currency.';
comment on column pgwallet.account.account_id is
'Id of the wallet, pocket or project whose account it is, else an id of its own.';
comment on column pgwallet.account.external_account_id is
'Of a wallet or project: the external account of its currency, so that no call looks it up.';
comment on column pgwallet.account.balance is
'Postings in less postings out, in major units; null where it is derived instead of kept.';

-- Each currency has one account of each of these, so that no call has to create them.
insert into pgwallet.account (account_id, kind, currency)
select c.external_account_id, 'external'::pgwallet.account_kind, c.currency
from pgwallet.currency as c
union all
select c.commission_account_id, 'commission'::pgwallet.account_kind, c.currency
from pgwallet.currency as c
union all
select c.fee_account_id, 'fee'::pgwallet.account_kind, c.currency
from pgwallet.currency as c;
