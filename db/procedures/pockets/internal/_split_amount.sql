-- Splits an amount over the pockets of a wallet, in either rounding, with what rules they have.
-- Returns a row for each pocket that receives something, with the sum of the shares up to it. Locks
-- nothing; whoever moves the shares holds the wallet's lock.
--
-- A standard SQL body: its names were resolved when it was made, so that it needs no search_path,
-- and the planner writes it out in the statements that use it.
create or replace function pgwallet._split_amount(
  p_wallet_id bigint,
  p_amount numeric,
  p_exponent integer,
  p_limit integer,
  p_rounding text,
  p_has_rules boolean
)
returns table (
  pocket_id bigint, name text, allocation_percentage numeric, amount numeric, place bigint,
  total numeric
)
language sql
stable
begin atomic
  select h.pocket_id, h.name, h.allocation_percentage, h.amount, h.place, h.total
  from pgwallet._share_half_up(p_wallet_id, p_amount, p_exponent, p_limit) as h
  where p_rounding = 'half_up' and not p_has_rules and h.amount > 0
  union all
  select r.pocket_id, r.name, r.allocation_percentage, r.amount, r.place,
    sum(r.amount) over (order by r.place) as total
  from pgwallet._share_largest_remainder(p_wallet_id, p_amount, p_exponent, p_limit) as r
  where p_rounding = 'largest_remainder' and not p_has_rules and r.amount > 0
  union all
  select b.pocket_id, b.name, b.allocation_percentage, b.amount, b.place, b.total
  from pgwallet._share_by_rules(p_wallet_id, p_amount, p_exponent, p_limit, p_rounding) as b
  where p_has_rules;
end;
