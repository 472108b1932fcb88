-- Splits an amount over the pockets of a wallet, to the last unit of what their percentages come
-- to. Returns a row for each pocket that takes part.
--
-- A standard SQL body: its names were resolved when it was made, so that it needs no search_path,
-- and the planner writes it out in the statements that use it.
create or replace function pgwallet._share_largest_remainder(
  p_wallet_id bigint,
  p_amount numeric,
  p_exponent integer,
  p_limit integer
)
returns table (
  pocket_id bigint, name text, allocation_percentage numeric, amount numeric, place bigint
)
language sql
stable
begin atomic
  select
    r.pocket_id, r.name, r.allocation_percentage, r.share, r.place
  from (
    select
      k.pocket_id, k.name, k.allocation_percentage, k.place,
      -- Each share is cut off; the missing units go to the largest cut-off fractions. A unit is no
      -- power of ten below 0: PostgreSQL 15 gives these 16 decimals.
      k.cut + case
        when row_number() over (order by k.exact - k.cut desc, k.place asc) <= (
          trunc(sum(k.exact) over (), p_exponent) - sum(k.cut) over ()
        ) * 10::numeric ^ p_exponent
          then round(1 / 10::numeric ^ p_exponent, p_exponent)
        else 0
      end as share
    from (
      select
        w.pocket_id, w.name, w.allocation_percentage, w.exact,
        trunc(w.exact, p_exponent) as cut,
        row_number() over (order by w.allocation_percentage desc, w.pocket_id asc) as place
      from (
        -- Multiplied by 0.01, which is exact; a division by 100 would round long amounts.
        select
          p.pocket_id, p.name, p.allocation_percentage,
          p_amount * p.allocation_percentage * 0.01 as exact
        from pgwallet.pocket as p
        where p.wallet_id = p_wallet_id and p.allocation_percentage > 0
        order by p.allocation_percentage desc, p.pocket_id asc
        limit p_limit
      ) as w
    ) as k
  ) as r;
end;
