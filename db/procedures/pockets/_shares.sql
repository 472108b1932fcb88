-- Splits amounts over the pockets of their wallets: a row for each share above 0, by element and
-- then in the order in which pockets take part. Warns when a wallet has more pockets than may.
--
-- Locks nothing; whoever moves the shares holds the wallets' locks.
create or replace function pgwallet._shares(
  p_wallet_ids bigint[],
  p_amounts numeric[],
  p_rounding text
)
returns table (
  ordinal bigint, wallet_id bigint, pocket_id bigint, name text,
  allocation_percentage numeric, amount numeric
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_limit integer := (select s.max_pockets_per_allocation from pgwallet.settings as s);
  v_left_out bigint;
  v_wallets bigint;
begin
  select sum(w.pockets - v_limit), count(*)
  into v_left_out, v_wallets
  from (
    select count(*) as pockets
    from pgwallet.pocket as k
    where k.wallet_id = any (p_wallet_ids) and k.allocation_percentage > 0
    group by k.wallet_id
  ) as w
  where w.pockets > v_limit;
  if v_left_out > 0 then
    raise warning using
      message = format('%s pockets were left out of an allocation', v_left_out),
      detail = format(
        '%s wallets have more than %s pockets with a percentage.', v_wallets, v_limit
      ),
      hint = 'Raise max_pockets_per_allocation in pgwallet.settings, or use fewer pockets.';
  end if;

  return query
  with pocket as (
    select
      k.wallet_id, k.pocket_id, k.name, k.allocation_percentage,
      row_number() over (
        partition by k.wallet_id order by k.allocation_percentage desc, k.pocket_id
      ) as place
    from pgwallet.pocket as k
    where k.wallet_id = any (p_wallet_ids) and k.allocation_percentage > 0
  ),

  -- Multiplied by 0.01, which is exact; a division by 100 would round long amounts.
  exact as (
    select
      u.ordinal, k.wallet_id, k.pocket_id, k.name, k.allocation_percentage, k.place,
      u.amount as whole, c.exponent::integer as exponent,
      u.amount * k.allocation_percentage * 0.01 as share
    from unnest(p_wallet_ids, p_amounts) with ordinality as u (wallet_id, amount, ordinal)
    inner join pocket as k on k.wallet_id = u.wallet_id and k.place <= v_limit
    inner join pgwallet.account as a on a.account_id = u.wallet_id
    inner join pgwallet.currency as c on c.currency = a.currency
  ),

  -- Each share is rounded; what the shares before it left caps it.
  half_up as (
    select
      e.ordinal, e.pocket_id,
      least(sum(round(e.share, e.exponent)) over before_and_this, e.whole)
      - least(
        sum(round(e.share, e.exponent)) over before_and_this - round(e.share, e.exponent), e.whole
      ) as amount
    from exact as e
    where p_rounding = 'half_up'
    window before_and_this as (partition by e.ordinal order by e.place)
  ),

  -- Each share is cut off; the missing units go to the largest cut-off fractions.
  largest_remainder as (
    select
      e.ordinal, e.pocket_id,
      trunc(e.share, e.exponent)
      + case
        when
          row_number() over (
            partition by e.ordinal
            order by e.share - trunc(e.share, e.exponent) desc, e.place
          ) <= (
            trunc(sum(e.share) over (partition by e.ordinal), e.exponent)
            - sum(trunc(e.share, e.exponent)) over (partition by e.ordinal)
          ) * 10::numeric ^ e.exponent
          then 10::numeric ^ (-e.exponent)
        else 0
      end as amount
    from exact as e
    where p_rounding = 'largest_remainder'
  )

  select
    e.ordinal, e.wallet_id, e.pocket_id, e.name, e.allocation_percentage,
    round(s.amount, e.exponent)
  from exact as e
  inner join (
    select h.ordinal, h.pocket_id, h.amount from half_up as h
    union all
    select r.ordinal, r.pocket_id, r.amount from largest_remainder as r
  ) as s on s.ordinal = e.ordinal and s.pocket_id = e.pocket_id
  where s.amount > 0
  order by e.ordinal, e.place;
end;
$function$;

comment on function pgwallet._shares(bigint[], numeric[], text) is
'Splits amounts over the pockets of their wallets.';
