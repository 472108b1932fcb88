-- Whether reverse_transaction takes back transactions of a kind; others have their own ways back.
--
-- A standard SQL body: its names were resolved when it was made, so that it needs no search_path,
-- and the planner writes it out in the statements that use it.
create or replace function pgwallet._is_reversible(p_kind pgwallet.transaction_kind)
returns boolean
language sql
immutable
return p_kind in (
  'deposit', 'withdrawal', 'payout', 'allocation',
  'transfer', 'transfer_to_pocket', 'transfer_from_pocket'
);
