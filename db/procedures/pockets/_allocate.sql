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
declare
  v_ordinals bigint[];
  v_wallet_ids bigint[];
  v_pocket_ids bigint[];
  v_amounts numeric[];
  v_short record;
begin
  perform
  from pgwallet.account as a
  where a.account_id = any (p_wallet_ids)
  order by a.account_id
  for no key update;

  -- A fresh statement: percentages as they are now that nobody can change them.
  select
    array_agg(s.ordinal), array_agg(s.wallet_id), array_agg(s.pocket_id), array_agg(s.amount)
  into v_ordinals, v_wallet_ids, v_pocket_ids, v_amounts
  from pgwallet._shares(p_wallet_ids, p_amounts, p_rounding) as s;

  select d.wallet_id, a.balance, d.amount
  into v_short
  from (
    select u.wallet_id, sum(u.amount) as amount, min(u.ordinal) as ordinal
    from unnest(v_ordinals, v_wallet_ids, v_amounts) as u (ordinal, wallet_id, amount)
    group by u.wallet_id
  ) as d
  inner join pgwallet.account as a on a.account_id = d.wallet_id
  where a.balance < d.amount
  order by d.ordinal
  limit 1;
  if found then
    perform pgwallet._refuse_funds('wallet', v_short.wallet_id, v_short.balance, v_short.amount);
  end if;

  with share as (
    select
      u.place, u.wallet_id, u.pocket_id, u.amount,
      p_transaction_ids[u.ordinal] as transaction_id
    from unnest(v_ordinals, v_wallet_ids, v_pocket_ids, v_amounts) with ordinality
      as u (ordinal, wallet_id, pocket_id, amount, place)
  ),

  moved as (
    update pgwallet.account as a
    set balance = a.balance + d.amount
    from (
      select s.wallet_id as account_id, -sum(s.amount) as amount
      from share as s
      group by s.wallet_id
      union all
      select s.pocket_id, sum(s.amount)
      from share as s
      group by s.pocket_id
    ) as d
    where a.account_id = d.account_id
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
end;
$function$;

comment on function pgwallet._allocate(bigint[], numeric[], bigint[], text) is
'Moves the shares of amounts from wallets into their pockets. Raises: PW201.';
