-- Accounts: whatever holds money, in one currency.
--
-- depends: 0002_settings

-- A domain, as are kinds and statuses below: a later migration may give it another check, `not
-- valid`, and use a new word at once, without a lock on any table. A new value of an enum cannot be
-- used in the transaction that adds it.
create domain pgwallet.account_kind as text collate "C"
constraint account_kind_known check (
  value in (
    'wallet', 'pocket', 'project', 'escrow', 'commission', 'fee', 'external', 'in_transit'
  )
);

comment on domain pgwallet.account_kind is
'What an account is for. Wallet, pocket and project keep a balance, the others only pass money on.';

-- A domain is asked where a limit is set, and not with every movement as a check of the table is.
create domain pgwallet.credit_limit as numeric
constraint credit_limit_known check (value >= 0 and value < 1000000000000000);

comment on domain pgwallet.credit_limit is
'How far below 0 a balance may go, in major units: finite, and not below 0.';

-- A balance is updated with every movement, so pages keep room for the new version of a row. Checks
-- are read anew for each statement, so there are as few as possible, of few words (another limit of
-- a balance would take 4 % of a deposit): postings are finite, and balances what they come to. NaN
-- is above every number, so the negative of a balance is compared. Here and below 0.0 is a numeric,
-- 0 would be cast to one, which took 5 % of a pledge.
create table pgwallet.account (
  account_id bigint primary key,
  external_account_id bigint,
  kind pgwallet.account_kind not null,
  currency text collate "C" not null references pgwallet.currency,
  balance numeric,
  credit_limit pgwallet.credit_limit not null default 0,
  frozen_at timestamptz,
  closed_at timestamptz,
  has_rules boolean not null default false,
  constraint account_balance_check check (-balance <= credit_limit),
  -- Pocket, project and wallet come last of all kinds: one short text is read sooner than three.
  constraint account_kind_check check ((balance is not null) = (kind >= 'pocket'))
) with (fillfactor = 70);

comment on table pgwallet.account is 'Whatever holds money, in one currency.';
comment on column pgwallet.account.account_id is
'Id of the wallet, pocket or project whose account it is, else an id of its own.';
comment on column pgwallet.account.external_account_id is
'Of a wallet or project: the external account of its currency, so that no call looks it up.';
comment on column pgwallet.account.balance is
'Postings in less postings out, in major units. It has exactly the decimals of its currency, which '
'functions read from it. Null where it is derived instead of kept.';
comment on column pgwallet.account.credit_limit is
'How far below 0 the balance of a wallet or project may go, in major units.';
comment on column pgwallet.account.frozen_at is
'Since when nothing may leave a wallet or project; null while it is not frozen.';
comment on column pgwallet.account.closed_at is
'When a wallet or pocket was closed; null while it is open.';
comment on column pgwallet.account.has_rules is
'Of a wallet: whether a pocket of it stops at its target or takes the rest. An allocation reads it '
'with the balance and asks for rules only where it says so.';

-- Stands in until the functions are installed, because the triggers need it now: to replace a
-- trigger later would lock the tables.
create function pgwallet._refuse_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using errcode = 'PW901', message = 'what the ledger recorded stays';
end;
$function$;

-- Here and below: one trigger says no to a statement, whether or not it finds a row; the other to
-- each row, since a subscriber of logical replication applies rows, without a statement. Always:
-- also there, and for who sets session_replication_role.
create trigger refuse_change
before delete or truncate on pgwallet.account
for each statement execute function pgwallet._refuse_change();

create trigger refuse_row_change
before delete on pgwallet.account
for each row execute function pgwallet._refuse_change();

alter table pgwallet.account
enable always trigger refuse_change,
enable always trigger refuse_row_change;

create trigger refuse_change
before delete or truncate on pgwallet.settings
for each statement execute function pgwallet._refuse_change();

create trigger refuse_row_change
before delete on pgwallet.settings
for each row execute function pgwallet._refuse_change();

alter table pgwallet.settings
enable always trigger refuse_change,
enable always trigger refuse_row_change;

-- Balances and escrows have the decimals that their currency had when they were made.
create trigger refuse_other_decimals
before update of exponent on pgwallet.currency
for each row when (old.exponent is distinct from new.exponent)
execute function pgwallet._refuse_change();

alter table pgwallet.currency
enable always trigger refuse_other_decimals;

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
