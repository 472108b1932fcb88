-- Pays money from outside into many wallets: one transaction an element, all or none.
--
-- Locks, in order: the idempotency keys, sorted; the wallets by id.
-- Plans are made once and walk along indexes, an element at a time: that suits any size, and made
-- anew for each call they cost more than a hundred elements.
create or replace function pgwallet.deposit_many(
  p_wallet_ids bigint[],
  p_amounts numeric[],
  p_idempotency_keys text[] default null,
  p_metadata jsonb[] default null,
  p_effective_at timestamptz[] default null
)
returns table (transaction_id bigint, wallet_id bigint, balance numeric, replayed boolean)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $function$
declare
  v_requests text[];
  v_transaction_ids bigint[];
  v_replays boolean[];
  v_balances numeric[];
  v_has_closed boolean;
begin
  perform pgwallet._check_arrays(
    p_wallet_ids, p_amounts, p_idempotency_keys, p_metadata, p_effective_at
  );
  if cardinality(p_amounts) = 0 then
    return;
  end if;
  perform pgwallet._check_wallets(p_wallet_ids, p_amounts);

  if p_idempotency_keys is not null then
    v_requests := pgwallet._write_requests('deposit_many(%s, %s)', p_wallet_ids, p_amounts);
  end if;
  select c.transaction_ids, c.replays
  into v_transaction_ids, v_replays
  from pgwallet._insert_transactions(
    'deposit', cardinality(p_amounts), p_idempotency_keys, v_requests, p_metadata, p_effective_at
  ) as c;

  perform
  from pgwallet.account as a
  where a.account_id = any (p_wallet_ids)
  order by a.account_id
  for no key update;

  -- A fresh statement: balances as they are now that nobody can change them.
  with element as materialized (
    select
      u.ordinal, u.wallet_id, u.transaction_id, u.replayed, a.external_account_id, a.closed_at,
      round(u.amount, scale(a.balance)) as amount,
      a.balance + sum(trim_scale(u.amount)) filter (where not u.replayed) over (
        partition by u.wallet_id order by u.ordinal
      ) as balance
    from unnest(p_wallet_ids, p_amounts, v_transaction_ids, v_replays) with ordinality
      as u (wallet_id, amount, transaction_id, replayed, ordinal)
    inner join pgwallet.account as a on a.account_id = u.wallet_id
  ),

  credited as (
    update pgwallet.account as a
    set balance = d.balance
    from (
      select e.wallet_id, max(e.balance) as balance
      from element as e
      group by e.wallet_id
    ) as d
    where a.account_id = d.wallet_id and d.balance is not null
  ),

  posted as (
    insert into pgwallet.posting (
      transaction_id, source_account_id, destination_account_id, amount, destination_balance
    )
    select e.transaction_id, e.external_account_id, e.wallet_id, e.amount, e.balance
    from element as e
    where not e.replayed
    order by e.ordinal
  )

  select
    array_agg(e.balance order by e.ordinal),
    bool_or(e.closed_at is not null and not e.replayed)
  into v_balances, v_has_closed
  from element as e;
  if v_has_closed then
    perform pgwallet._check_open_wallets(p_wallet_ids, v_replays);
  end if;

  -- What a replay returns was posted before.
  return query
  select u.transaction_id, u.wallet_id, coalesce(p.destination_balance, u.balance), u.replayed
  from unnest(v_transaction_ids, p_wallet_ids, v_balances, v_replays) with ordinality
    as u (transaction_id, wallet_id, balance, replayed, ordinal)
  left join pgwallet.posting as p
    on p.transaction_id = case when u.replayed then u.transaction_id end
  order by u.ordinal;
end;
$function$;

comment on function pgwallet.deposit_many(
  bigint[], numeric[], text[], jsonb[], timestamptz[]
) is
'Pays money from outside into many wallets, all or none. '
'Raises: PW001, PW002, PW101, PW203, PW209.';
