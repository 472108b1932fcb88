-- Rounding: who gets the last cent, in a deposit that is split and in an escrow that is released.
--
-- In a database of its own, which has pgwallet and nothing else:
--
--   psql -X -f examples/sql/rounding.sql
--
-- What it prints is in rounding.out.
\set ECHO all
\set SHOW_CONTEXT never

-- Four pockets of a quarter each.
select wallet_id as ada from pgwallet.create_wallet('ada') \gset
select name, allocation_percentage
from
  (values ('north'), ('east'), ('south'), ('west')) as n (pocket)
  cross join lateral pgwallet.create_pocket(:ada, n.pocket, 25);

-- 10 cents: each quarter is 2.5 cents, rounded half up to 3. The last one gets what is left, so the
-- sum is never more than the amount.
select name, amount from pgwallet.preview_allocation(:ada, 0.10);

-- largest_remainder cuts each quarter to 2 cents and gives the 2 missing ones to the first in line.
select name, amount from pgwallet.preview_allocation(:ada, 0.10, 'largest_remainder');

-- The two side by side. A quarter of 1 cent rounds to nothing, so that half_up leaves it in the
-- wallet; largest_remainder leaves nothing over where the percentages make 100.
select
  a.amount,
  (
    select string_agg(h.amount::text, ' ')
    from pgwallet.preview_allocation(:ada, a.amount) as h
  ) as half_up,
  (
    select string_agg(r.amount::text, ' ')
    from pgwallet.preview_allocation(:ada, a.amount, 'largest_remainder') as r
  ) as largest_remainder
from (values (0.01), (0.02), (0.06), (10.03), (100)) as a (amount);

-- Where percentages do not make 100, half_up rounds each share for itself, and largest_remainder
-- the sum: 5 + 2.9 percent of 9.99 are 0.78921, so the shares make 0.78.
select wallet_id as bob from pgwallet.create_wallet('bob') \gset
select name from pgwallet.create_pocket(:bob, 'commission', 5);
select name from pgwallet.create_pocket(:bob, 'fee', 2.9);
select name, amount from pgwallet.preview_allocation(:bob, 9.99);
select name, amount from pgwallet.preview_allocation(:bob, 9.99, 'largest_remainder');

-- A currency's own decimals decide: the yen has none, the Kuwaiti dinar three.
select
  w.currency,
  (
    select string_agg(h.amount::text, ' ')
    from pgwallet.preview_allocation(w.wallet_id, 11) as h
  ) as half_up
from
  (values ('JPY'), ('EUR'), ('KWD')) as c (code)
  cross join lateral pgwallet.create_wallet('cleo', c.code) as w
  cross join lateral pgwallet.create_pocket(w.wallet_id, 'third', 33.3333) as p;

-- Decimals that a currency does not have are refused, never rounded in silence. Zeros at the end
-- do not count.
select balance from pgwallet.deposit(:ada, 10.005);
\echo SQLSTATE :LAST_ERROR_SQLSTATE
select balance from pgwallet.deposit(:ada, 10.0000);

-- An escrow of 0.30, released in three parts. 5 percent of 0.10 are half a cent, rounded up to 1;
-- of 0.20 they are 1 cent, which was taken already; of 0.30 one and a half, rounded up to 2.
select project_id as film from pgwallet.create_project('film') \gset
select escrow_id as in_parts from pgwallet.pledge(:ada, :film, 0.30) \gset
select released_amount, commission_amount, fee_amount, net_amount
from pgwallet.release_escrow(:in_parts, 0.10);
select released_amount, commission_amount, fee_amount, net_amount
from pgwallet.release_escrow(:in_parts, 0.10);
select released_amount, commission_amount, fee_amount, net_amount
from pgwallet.release_escrow(:in_parts);

-- The parts took together what one release takes: 0.02 and 0.01.
select escrow_id as at_once from pgwallet.pledge(:ada, :film, 0.30) \gset
select released_amount, commission_amount, fee_amount, net_amount
from pgwallet.release_escrow(:at_once);

select * from pgwallet.check_ledger();
