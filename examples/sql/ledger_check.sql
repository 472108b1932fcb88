-- Checking the ledger: what cannot be changed, what can only be found, and how an answer reads.
-- What is broken here on purpose is rolled back each time.
--
-- In a database of its own, which has pgwallet and nothing else, as a superuser or the owner:
--
--   psql -X -f examples/sql/ledger_check.sql
--
-- What it prints is in ledger_check.out.
\set ECHO all
\set SHOW_CONTEXT never

select wallet_id as ada from pgwallet.create_wallet('ada') \gset
select project_id as film from pgwallet.create_project('film') \gset
select balance from pgwallet.deposit(:ada, 100, p_idempotency_key => 'psp-1');
select escrow_id as pledged from pgwallet.pledge(:ada, :film, 40) \gset
select net_amount from pgwallet.release_escrow(:pledged, 10);

-- No row: every account, escrow, posting and key agrees.
select * from pgwallet.check_ledger();

-- By hand, to see what it compares: each currency sums to zero over all accounts. The money that
-- came from outside is there as a debt to the outside.
select
  pgwallet.balance(c.external_account_id) as outside, pgwallet.balance(:ada) as wallet,
  pgwallet.balance(p.escrow_account_id) as escrow, pgwallet.balance(:film) as project,
  pgwallet.balance(c.commission_account_id) as commission, pgwallet.balance(c.fee_account_id) as fee
from pgwallet.currency as c, pgwallet.project as p
where c.currency = 'EUR';

-- What was recorded stays, for everybody: not the owner and not a superuser can edit it.
update pgwallet.posting set amount = 1000 where amount = 100;
\echo SQLSTATE :LAST_ERROR_SQLSTATE
delete from pgwallet.transaction;
truncate pgwallet.posting;

-- A balance can be edited by whoever may write the table. The postings tell.
begin;
update pgwallet.account set balance = balance + 5 where account_id = :ada;
select * from pgwallet.check_ledger();
rollback;

-- So can an escrow. Its project no longer holds what was posted.
begin;
update pgwallet.escrow set refunded_amount = 30, status = 'settled' where escrow_id = :pledged;
select * from pgwallet.check_ledger();
rollback;

-- A posting that somebody slips in fits nothing: not the balances, and no transaction.
begin;
insert into pgwallet.posting (
  transaction_id, source_account_id, destination_account_id, amount, source_balance
)
select 999, :ada, c.external_account_id, 7, 53
from pgwallet.currency as c
where c.currency = 'EUR';
select * from pgwallet.check_ledger();
rollback;

-- A guard that was taken off is reported while it is off, whether or not anything was changed.
begin;
alter table pgwallet.posting disable trigger refuse_change;
select * from pgwallet.check_ledger();
rollback;

-- What is new only: note the last transaction of a check, and begin there the next time. On a busy
-- ledger begin some earlier: a call still under way may commit later with a smaller id.
select max(transaction_id) as checked from pgwallet.transaction \gset
select balance from pgwallet.withdraw(:ada, 1);
select * from pgwallet.check_ledger(:checked);

select * from pgwallet.check_ledger();
