-- Moves the shares of amounts from wallets into their pockets, for transactions already inserted.
--
-- Locks: the wallets by id, whose locks guard their pockets.
create or replace function pgwallet._allocate(
  p_wallet_ids bigint[],
  p_amounts numeric[],
  p_transaction_ids bigint[],
  p_rounding text
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform
  from pgwallet.account as a
  where a.account_id = any (p_wallet_ids)
  order by a.account_id
  for no key update;

  perform pgwallet._warn_of_pockets(p_wallet_ids);

  -- A fresh statement: percentages as they are now that nobody can change them.
  with share as materialized (
    select
      u.transaction_id, u.wallet_id, s.pocket_id, s.amount,
      row_number() over (order by u.ordinal, s.place) as place
    from unnest(p_wallet_ids, p_amounts, p_transaction_ids) with ordinality
      as u (wallet_id, amount, transaction_id, ordinal)
    inner join pgwallet.account as a on a.account_id = u.wallet_id
    inner join pgwallet.settings as l on l.only_row
    cross join lateral pgwallet._shares(
      u.wallet_id, u.amount, scale(a.balance), l.max_pockets_per_allocation, p_rounding
    ) as s
  ),

  due as materialized (
    select s.wallet_id, sum(s.amount) as amount from share as s group by s.wallet_id
  ),

  moved as (
    update pgwallet.account as a
    set balance = a.balance + d.amount
    from (
      select w.wallet_id as account_id, -w.amount as amount from due as w
      union all
      select s.pocket_id, sum(s.amount) from share as s group by s.pocket_id
    ) as d
    where a.account_id = d.account_id and not exists (
      select
      from due as w
      inner join pgwallet.account as b on b.account_id = w.wallet_id
      where b.balance < w.amount
    )
    returning a.account_id, a.balance - d.amount as balance_before
  )

  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount,
    source_balance, destination_balance
  )
  select
    s.transaction_id, s.wallet_id, s.pocket_id, s.amount,
    w.balance_before - sum(s.amount) over (partition by s.wallet_id order by s.place),
    k.balance_before + sum(s.amount) over (partition by s.pocket_id order by s.place)
  from share as s
  inner join moved as w on w.account_id = s.wallet_id
  inner join moved as k on k.account_id = s.pocket_id
  order by s.place;

  if not found then
    perform pgwallet._refuse_shares(p_wallet_ids, p_amounts, p_rounding);
  end if;
end;
$function$;

comment on function pgwallet._allocate(bigint[], numeric[], bigint[], text) is
'Moves the shares of amounts from wallets into their pockets. Raises: PW201.';
