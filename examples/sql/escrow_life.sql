-- The life of an escrow: three people pledge money for a film. One part is released early, one
-- pledge is given back, the rest is released in the end; a second project fails.
--
-- In a database of its own, which has pgwallet and nothing else:
--
--   psql -X -f examples/sql/escrow_life.sql
--
-- What it prints is in escrow_life.out.
\set ECHO all
\set SHOW_CONTEXT never

select wallet_id as ada from pgwallet.create_wallet('ada') \gset
select wallet_id as bob from pgwallet.create_wallet('bob') \gset
select wallet_id as cleo from pgwallet.create_wallet('cleo') \gset
select balance from pgwallet.deposit_many(array[:ada, :bob, :cleo], array[200, 200, 200]);

-- The rates come from pgwallet.settings and are fixed here, whatever the settings become.
select project_id, status, commission_rate, fee_rate, max_pledge
from pgwallet.create_project('film', p_max_pledge => 150);
select project_id as film from pgwallet.create_project('film', p_max_pledge => 150) \gset

-- A pledge takes the money out of the wallet and locks it in an escrow of its own.
select escrow_id, amount, status, balance from pgwallet.pledge(:ada, :film, 100);

-- Any number of pledges, also from one wallet.
select escrow_id as ada_s from pgwallet.pledge(:ada, :film, 33.33) \gset
select escrow_id as bob_s from pgwallet.pledge(:bob, :film, 50) \gset
select escrow_id as cleo_s from pgwallet.pledge(:cleo, :film, 0.99) \gset

-- A single pledge has a limit, and the money must be there.
select status from pgwallet.pledge(:bob, :film, 150.01);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select status from pgwallet.pledge(:bob, :film, 150.00);
select status from pgwallet.pledge(:bob, :film, 0.01);
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- A milestone: a part of one escrow is released while the project is still open. The platform's
-- 5 percent and the 2.9 percent for payments come off; the net is the project's.
select released_amount, commission_amount, fee_amount, net_amount, status
from pgwallet.release_escrow(:ada_s, 10);

-- Bob takes his first pledge back, all of it. Nothing comes off.
select refunded_amount, status, balance from pgwallet.refund_escrow(:bob_s);
select refunded_amount from pgwallet.refund_escrow(:bob_s);
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- All escrows at once are settled only when the project has ended. Look at the hint.
select escrow_count from pgwallet.release_escrows(:film);
\echo SQLSTATE :LAST_ERROR_SQLSTATE

select status from pgwallet.close_project(:film, 'succeeded');
select status from pgwallet.pledge(:cleo, :film, 5);
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- One batch of two, as a job would do it, until escrow_count is 0.
select escrow_count, gross_amount, commission_amount, fee_amount, net_amount
from pgwallet.release_escrows(:film, p_limit => 2);

-- Or all that is left, here one in a transaction, with a commit after each batch. Run again it
-- does nothing: there is nothing left.
call pgwallet.release_project(:film, 1);
call pgwallet.release_project(:film, 1);

-- Of each escrow: released + refunded = amount, and commission + fee + net = released.
select
  w.owner_id as owner, e.amount, e.status, e.refunded_amount as refunded,
  e.released_amount as released, e.commission_amount as commission, e.fee_amount as fee,
  e.net_amount as net
from pgwallet.escrow as e
inner join pgwallet.wallet as w on w.wallet_id = e.wallet_id
order by e.escrow_id;

-- The project has the sum of the nets, and pays it out.
select pgwallet.balance(:film) as film;
select balance as film from pgwallet.payout(:film, 200, p_metadata => '{"to": "the film makers"}');
select kind, amount, balance from pgwallet.statement(:film);

-- The platform's share is on the accounts of the currency.
select
  pgwallet.balance(c.commission_account_id) as commission, pgwallet.balance(c.fee_account_id) as fee
from pgwallet.currency as c
where c.currency = 'EUR';

-- Another project finds too few backers. Its pledges go back to the last cent.
select project_id as boat from pgwallet.create_project('boat') \gset
select wallet_id, amount, balance
from pgwallet.pledge_many(:boat, array[:ada, :cleo], array[40, 60.50]);
call pgwallet.refund_project(:boat);
select owner_id, pgwallet.balance(wallet_id) as balance from pgwallet.wallet order by owner_id;

-- The outcome is final.
call pgwallet.release_project(:boat);
\echo SQLSTATE :LAST_ERROR_SQLSTATE

select * from pgwallet.check_ledger();
