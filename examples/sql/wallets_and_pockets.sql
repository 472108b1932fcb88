-- Wallets and pockets: Ada's salary comes in, is split over her pockets, and some of it is spent.
--
-- In a database of its own, which has pgwallet and nothing else:
--
--   psql -X -f examples/sql/wallets_and_pockets.sql
--
-- What it prints is in wallets_and_pockets.out.
\set ECHO all
\set SHOW_CONTEXT never

-- A wallet is the money of one owner in one currency. Its id is all that later calls need.
select wallet_id, owner_id, currency, balance from pgwallet.create_wallet('ada');

-- The same owner again gets the same wallet: an application may ask each time it needs one.
select wallet_id as ada from pgwallet.create_wallet('ada') \gset

-- Pockets are parts of the wallet. The percentage is a pocket's share of what is allocated.
select pocket_id as rent from pgwallet.create_pocket(:ada, 'rent', 40) \gset
select pocket_id as travel from pgwallet.create_pocket(:ada, 'travel', 12.5) \gset
select pocket_id as fun
from pgwallet.create_pocket(:ada, 'fun', p_pocket_type => 'spending', p_target_amount => 200) \gset

-- Together they may not pass 100 percent. An error names the object, the figures and a way out.
select name from pgwallet.create_pocket(:ada, 'boat', 50);
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- The salary. A deposit alone goes into the wallet and no further.
select balance from pgwallet.deposit(:ada, 2500.50);

-- How would it be split? A preview moves nothing.
select name, allocation_percentage, amount from pgwallet.preview_allocation(:ada, 2500.50);

-- As shown. fun has no percentage and receives nothing; what is not allocated stays in the wallet.
select name, allocation_percentage, amount, balance
from pgwallet.allocate_deposit(:ada, 2500.50, p_idempotency_key => 'salary-11:split');

select
  pgwallet.balance(:ada) as wallet, pgwallet.balance(:rent) as rent,
  pgwallet.balance(:travel) as travel, pgwallet.balance(:fun) as fun;

-- By hand, in either direction; the answer has both balances.
select balance as fun, wallet_balance as wallet from pgwallet.transfer_to_pocket(:fun, 80);
select balance as fun, wallet_balance as wallet from pgwallet.transfer_from_pocket(:fun, 15.25);

-- No pocket and no wallet gives what it does not hold.
select balance from pgwallet.transfer_from_pocket(:travel, 1000);
\echo SQLSTATE :LAST_ERROR_SQLSTATE

-- From next month on less for the rent. What is in the pocket stays there.
select name, allocation_percentage, balance from pgwallet.set_allocation(:rent, 35);

-- Money leaves from the wallet; the rent first goes back there. Both happen, or neither does.
begin;
select balance as rent, wallet_balance as wallet from pgwallet.transfer_from_pocket(:rent, 950);
select balance as wallet from pgwallet.withdraw(:ada, 950, p_metadata => '{"to": "landlord"}');
commit;

-- Everything that touched the wallet, with the balance after each and the account at the other end.
select
  s.kind, s.amount, s.balance,
  case s.counterpart_id
    when :rent then 'rent' when :travel then 'travel' when :fun then 'fun' else 'outside'
  end as counterpart,
  s.metadata
from pgwallet.statement(:ada) as s;

-- Many wallets at once: one round trip, all or nothing, the answers in the order of the arrays.
select wallet_id as bob from pgwallet.create_wallet('bob') \gset
select
  case d.wallet_id when :ada then 'ada' when :bob then 'bob' end as owner, d.balance
from pgwallet.deposit_many(array[:ada, :bob, :ada], array[100, 70.50, 0.01]) as d;

select * from pgwallet.check_ledger();
