-- Moves the shares of amounts from wallets into their pockets. The transactions are inserted
-- already; returns a row a posting, with its place among the others, or one without a pocket for an
-- amount of which no pocket receives anything, in no particular order.
--
-- Locks: the wallets by id, whose locks guard their pockets.
create or replace function pgwallet._move_shares(
  p_wallet_ids bigint[],
  p_amounts numeric[],
  p_transaction_ids bigint[],
  p_rounding text
)
returns table (
  ordinal bigint, place bigint, transaction_id bigint, wallet_id bigint, pocket_id bigint,
  name text, allocation_percentage numeric, amount numeric, balance numeric
)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $function$
declare
  v_limit integer;
  v_count bigint;
  v_closed bigint;
  v_has_rules boolean;
  v_repeated boolean;
  v_round record;
begin
  select count(*), count(l.closed_at), bool_or(l.has_rules)
  into v_count, v_closed, v_has_rules
  from (
    select a.closed_at, a.has_rules
    from pgwallet.account as a
    where a.account_id = any (p_wallet_ids)
    order by a.account_id
    for no key update
  ) as l;
  if v_closed > 0 then
    perform pgwallet._check_open_wallets(p_wallet_ids);
  end if;

  -- Read once: a limit that changed between two statements would let money stay behind.
  select s.max_pockets_per_allocation into v_limit from pgwallet.settings as s;
  if not found then
    perform pgwallet._refuse_missing_settings();
  end if;
  perform pgwallet._warn_of_pockets(p_wallet_ids, v_limit);

  -- One round for all wallets; another one only for those that come again, asked for the sum first.
  -- With rules, the shares of a later round depend on those of an earlier one.
  v_repeated := v_count < cardinality(p_wallet_ids);
  if v_repeated and not v_has_rules then
    perform pgwallet._check_shares(
      p_wallet_ids, p_amounts, p_transaction_ids, v_limit, p_rounding
    );
  end if;
  for v_round in
    select
      array_agg(e.ordinal order by e.ordinal) as ordinals,
      array_agg(e.transaction_id order by e.ordinal) as transaction_ids,
      array_agg(e.wallet_id order by e.ordinal) as wallet_ids,
      array_agg(e.amount order by e.ordinal) as amounts
    from (
      select
        u.ordinal, u.transaction_id, u.wallet_id, u.amount,
        row_number() over (partition by u.wallet_id order by u.ordinal) as number
      from unnest(p_wallet_ids, p_amounts, p_transaction_ids) with ordinality
        as u (wallet_id, amount, transaction_id, ordinal)
    ) as e
    group by e.number
    order by e.number
  loop
    -- A fresh statement: percentages as they are now that nobody can change them.
    return query
    with share as materialized (
      select
        u.ordinal, u.transaction_id, u.wallet_id, w.balance as wallet_balance,
        s.pocket_id, s.name, s.allocation_percentage, s.amount, s.place, s.total
      from unnest(v_round.ordinals, v_round.transaction_ids, v_round.wallet_ids, v_round.amounts)
        as u (ordinal, transaction_id, wallet_id, amount)
      inner join pgwallet.account as w on w.account_id = u.wallet_id
      left join lateral pgwallet._split_amount(
        u.wallet_id, u.amount, scale(w.balance), v_limit, p_rounding, w.has_rules
      ) as s on true
    ),

    debited as (
      update pgwallet.account as a
      set balance = a.balance - d.amount
      from (
        select s.wallet_id, max(s.total) as amount from share as s group by s.wallet_id
      ) as d
      where a.account_id = d.wallet_id and d.amount > 0
        and not exists (select from share as s where s.total > s.wallet_balance)
    ),

    credited as (
      update pgwallet.account as a
      set balance = a.balance + s.amount
      from share as s
      where a.account_id = s.pocket_id
        and not exists (select from share as s where s.total > s.wallet_balance)
      returning
        s.ordinal, s.transaction_id, s.wallet_id, s.wallet_balance - s.total as wallet_balance,
        s.pocket_id, s.name, s.allocation_percentage, s.amount, s.place, a.balance
    ),

    posted as (
      insert into pgwallet.posting (
        transaction_id, source_account_id, destination_account_id, amount,
        source_balance, destination_balance
      )
      select
        c.transaction_id, c.wallet_id, c.pocket_id, c.amount, c.wallet_balance, c.balance
      from credited as c
      order by c.ordinal, c.place
    )

    select
      c.ordinal, c.place, c.transaction_id, c.wallet_id, c.pocket_id,
      c.name, c.allocation_percentage, c.amount, c.balance
    from credited as c
    union all
    select
      s.ordinal, null, s.transaction_id, s.wallet_id, null,
      null, null, round(0.0, scale(s.wallet_balance)), null
    from share as s
    where s.pocket_id is null
      and not exists (select from share as s where s.total > s.wallet_balance);

    if not found then
      perform pgwallet._check_shares(
        v_round.wallet_ids, v_round.amounts, p_transaction_ids, v_limit, p_rounding
      );
    end if;
  end loop;
end;
$function$;
