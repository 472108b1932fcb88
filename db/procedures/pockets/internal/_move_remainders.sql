-- Moves the shares of an amount from a wallet into its pockets, to the last unit of what their
-- percentages come to. The wallet is locked and has the balance, no pocket of it has rules, and the
-- transaction is inserted already. Returns a row a posting, with its place among the others.
create or replace function pgwallet._move_remainders(
  p_wallet_id bigint,
  p_amount numeric,
  p_transaction_id bigint,
  p_balance numeric,
  p_limit integer
)
returns table (
  place bigint, pocket_id bigint, name text, allocation_percentage numeric, amount numeric,
  balance numeric
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if exists (
    select
    from pgwallet.pocket as k
    where k.wallet_id = p_wallet_id and k.allocation_percentage > 0
    offset p_limit
  ) then
    perform pgwallet._warn_of_pockets(array[p_wallet_id], p_limit);
  end if;

  return query
  with share as materialized (
    select
      s.pocket_id, s.name, s.allocation_percentage, s.amount, s.place,
      sum(s.amount) over (order by s.place rows unbounded preceding) as total
    from pgwallet._share_largest_remainder(p_wallet_id, p_amount, scale(p_balance), p_limit) as s
    where s.amount > 0
  ),

  moved as (
    update pgwallet.account as a
    set balance = a.balance + m.amount
    from (
      select s.pocket_id, s.name, s.allocation_percentage, s.amount, s.place, s.total
      from share as s
      union all
      select p_wallet_id, null, null, -max(s.total), null, null
      from share as s
      having max(s.total) > 0
    ) as m
    where a.account_id = m.pocket_id
    returning
      m.pocket_id, m.name, m.allocation_percentage, m.amount, m.place, m.total, a.balance
  ),

  posted as (
    insert into pgwallet.posting (
      transaction_id, source_account_id, destination_account_id, amount,
      source_balance, destination_balance
    )
    select p_transaction_id, p_wallet_id, m.pocket_id, m.amount, p_balance - m.total, m.balance
    from moved as m
    where m.place is not null
    order by m.place
  )

  select m.place, m.pocket_id, m.name, m.allocation_percentage, m.amount, m.balance
  from moved as m
  where m.place is not null
  order by m.place;
end;
$function$;
