-- Splits an amount over the pockets of a wallet of which some have rules, in either rounding.
-- Returns a row for each pocket that receives something, with the sum of the shares up to it.
--
-- What a pocket is offered is its rounded share, for the one that takes the rest the whole amount.
-- It gets no more of it than it may hold, if it stops at its target, and than those before it left.
create or replace function pgwallet._share_by_rules(
  p_wallet_id bigint,
  p_amount numeric,
  p_exponent integer,
  p_limit integer,
  p_rounding text
)
returns table (
  pocket_id bigint, name text, allocation_percentage numeric, amount numeric, place bigint,
  total numeric
)
language plpgsql
stable
rows 10
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off
set enable_mergejoin = off
as $function$
declare
  v_whole numeric := round(p_amount, p_exponent);
begin
  return query
  with offered as (
    select h.pocket_id, h.rounded as amount, h.place
    from (
      -- Multiplied by 0.01, which is exact; a division by 100 would round long amounts.
      select
        p.pocket_id,
        round(p_amount * p.allocation_percentage * 0.01, p_exponent) as rounded,
        row_number() over (order by p.allocation_percentage desc, p.pocket_id asc) as place
      from pgwallet.pocket as p
      where p.wallet_id = p_wallet_id and p.allocation_percentage > 0
        and p_rounding = 'half_up'
      order by p.allocation_percentage desc, p.pocket_id asc
      limit p_limit
    ) as h
    union all
    select r.pocket_id, r.amount, r.place
    from pgwallet._share_largest_remainder(p_wallet_id, p_amount, p_exponent, p_limit) as r
    where p_rounding = 'largest_remainder'
    union all
    select p.pocket_id, v_whole, p_limit::bigint + 1
    from pgwallet.pocket as p
    where p.wallet_id = p_wallet_id and p.takes_rest
  ),

  capped as (
    select
      o.pocket_id, k.name, k.allocation_percentage, o.place,
      case
        when k.stop_at_target
          then least(o.amount, greatest(k.target_amount - a.balance, 0))
        else o.amount
      end as amount
    from offered as o
    inner join pgwallet.pocket as k on k.pocket_id = o.pocket_id
    inner join pgwallet.account as a on a.account_id = o.pocket_id
  ),

  summed as (
    select
      c.pocket_id, c.name, c.allocation_percentage, c.place, c.amount,
      sum(c.amount) over (order by c.place rows unbounded preceding) as total
    from capped as c
  ),

  shared as (
    select
      s.pocket_id, s.name, s.allocation_percentage,
      least(s.total, v_whole) - least(s.total - s.amount, v_whole) as amount,
      s.place, least(s.total, v_whole) as total
    from summed as s
  )

  select s.pocket_id, s.name, s.allocation_percentage, s.amount, s.place, s.total
  from shared as s
  where s.amount > 0
  order by s.place;
end;
$function$;
