-- Trying again: a call that carries a key moves its money once, however often it is made.
--
-- In a database of its own, which has pgwallet and nothing else:
--
--   psql -X -f examples/sql/idempotent_retry.sql
--
-- What it prints is in idempotent_retry.out.
\set ECHO all
\set SHOW_CONTEXT never

select wallet_id as ada from pgwallet.create_wallet('ada') \gset

-- The payment provider's name for the payment is the key.
select balance, replayed from pgwallet.deposit(:ada, 50, p_idempotency_key => 'psp-1001');

-- The answer was lost, so the provider calls again. Look at replayed: nothing moved.
select balance, replayed from pgwallet.deposit(:ada, 50, p_idempotency_key => 'psp-1001');

-- Amounts are compared by value. The metadata of a repeated call do not count, and are not stored.
select balance, replayed
from pgwallet.deposit(:ada, 50.00, p_idempotency_key => 'psp-1001', p_metadata => '{"try": 3}');

-- The first answer comes again even if the balance has changed since.
select balance, replayed from pgwallet.withdraw(:ada, 20, p_idempotency_key => 'card-77');
select balance, replayed from pgwallet.deposit(:ada, 50, p_idempotency_key => 'psp-1001');

-- The same key for something else is a mistake, and says what it was first.
select balance from pgwallet.deposit(:ada, 55, p_idempotency_key => 'psp-1001');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select balance from pgwallet.withdraw(:ada, 50, p_idempotency_key => 'psp-1001');
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- A call that was refused leaves its key free ...
select balance from pgwallet.withdraw(:ada, 500, p_idempotency_key => 'card-78');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select balance from pgwallet.deposit(:ada, 600, p_idempotency_key => 'psp-1002');
select balance, replayed from pgwallet.withdraw(:ada, 500, p_idempotency_key => 'card-78');

-- ... and so does one that was rolled back, with all that its transaction did.
begin;
select balance, replayed from pgwallet.deposit(:ada, 9, p_idempotency_key => 'psp-1003');
rollback;
select balance, replayed from pgwallet.deposit(:ada, 9, p_idempotency_key => 'psp-1003');

-- A pledge: amount and balance are those of the first call, the status is the present one.
select project_id as film from pgwallet.create_project('film') \gset
select escrow_id, amount, status, balance, replayed
from pgwallet.pledge(:ada, :film, 25, p_idempotency_key => 'order-5');
call pgwallet.release_project(:film);
select escrow_id, amount, status, balance, replayed
from pgwallet.pledge(:ada, :film, 25, p_idempotency_key => 'order-5');

-- In bulk, a key an element. A file that was sent again with one new line moves that line alone.
select wallet_id as bob from pgwallet.create_wallet('bob') \gset
select transaction_id, balance, replayed
from pgwallet.deposit_many(
  array[:ada, :bob], array[10, 20], array['file-7-line-1', 'file-7-line-2']
);
select transaction_id, balance, replayed
from pgwallet.deposit_many(
  array[:ada, :bob, :bob], array[10, 20, 30],
  array['file-7-line-1', 'file-7-line-2', 'file-7-line-3']
);

-- Without a key nobody can tell a second call from a second payment.
select balance, replayed from pgwallet.deposit(:bob, 1);
select balance, replayed from pgwallet.deposit(:bob, 1);

select * from pgwallet.check_ledger();
