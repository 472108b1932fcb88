-- Splits an amount over the pockets of a wallet, each share rounded half up. Returns a row for each
-- pocket that takes part, with the sum of the shares up to it.
--
-- A standard SQL body: its names were resolved when it was made, so that it needs no search_path,
-- and the planner writes it out in the statements that use it.
create or replace function pgwallet._share_half_up(
  p_wallet_id bigint,
  p_amount numeric,
  p_exponent integer,
  p_limit bigint
)
returns table (
  pocket_id bigint, name text, allocation_percentage numeric, amount numeric, place bigint,
  total numeric
)
language sql
stable
begin atomic
  select
    r.pocket_id, r.name, r.allocation_percentage,
    -- What the shares before it left caps a share.
    least(r.total, r.whole) - least(r.total - r.rounded, r.whole) as amount,
    r.place,
    least(r.total, r.whole) as total
  from (
    select
      k.pocket_id, k.name, k.allocation_percentage, k.rounded, k.whole,
      row_number() over before_and_this as place,
      sum(k.rounded) over before_and_this as total
    from (
      -- Multiplied by 0.01, which is exact; a division by 100 would round long amounts.
      select
        p.pocket_id, p.name, p.allocation_percentage,
        round(p_amount, p_exponent) as whole,
        round(p_amount * p.allocation_percentage * 0.01, p_exponent) as rounded
      from pgwallet.pocket as p
      where p.wallet_id = p_wallet_id and p.allocation_percentage > 0
      order by p.allocation_percentage desc, p.pocket_id asc
      limit p_limit
    ) as k
    window before_and_this as (
      order by k.allocation_percentage desc, k.pocket_id asc rows unbounded preceding
    )
  ) as r;
end;
