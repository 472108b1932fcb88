-- Pays money from outside into many wallets: one transaction an element, all or none.
--
-- Locks, in order: the idempotency keys, sorted; the wallets by id.
-- Plans are made for each call, as its size asks, and along indexes: to find some hundred accounts
-- the planner would scan a table of ten thousand, which takes longer.
create or replace function pgwallet.deposit_many(
  p_wallet_ids bigint[],
  p_amounts numeric[],
  p_idempotency_keys text[] default null
)
returns table (transaction_id bigint, wallet_id bigint, balance numeric, replayed boolean)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set jit = off
as $function$
declare
  v_transaction_ids bigint[];
  v_replays boolean[];
begin
  perform pgwallet._check_arrays(p_wallet_ids, p_amounts, p_idempotency_keys);
  if cardinality(p_amounts) = 0 then
    return;
  end if;
  perform pgwallet._check_wallets(p_wallet_ids, p_amounts);

  select c.transaction_ids, c.replays
  into v_transaction_ids, v_replays
  from pgwallet._claim_keys(
    'deposit',
    pgwallet._requests('deposit_many(%s, %s)', p_wallet_ids, p_amounts),
    p_idempotency_keys
  ) as c;

  perform
  from pgwallet.account as a
  where a.account_id = any (p_wallet_ids)
  order by a.account_id
  for no key update;

  with element as (
    select
      u.ordinal, u.wallet_id, u.transaction_id, c.external_account_id,
      round(u.amount, c.exponent) as amount
    from unnest(p_wallet_ids, p_amounts, v_transaction_ids, v_replays) with ordinality
      as u (wallet_id, amount, transaction_id, replayed, ordinal)
    inner join pgwallet.account as a on a.account_id = u.wallet_id
    inner join pgwallet.currency as c on c.currency = a.currency
    where not u.replayed
  ),

  credited as (
    update pgwallet.account as a
    set balance = a.balance + d.amount
    from (
      select e.wallet_id, sum(e.amount) as amount
      from element as e
      group by e.wallet_id
    ) as d
    where a.account_id = d.wallet_id
    returning a.account_id, a.balance - d.amount as balance_before
  )

  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, destination_balance
  )
  select
    e.transaction_id, e.external_account_id, e.wallet_id, e.amount,
    c.balance_before + sum(e.amount) over (partition by e.wallet_id order by e.ordinal)
  from element as e
  inner join credited as c on c.account_id = e.wallet_id
  order by e.ordinal;

  return query
  select p.transaction_id, p.destination_account_id, p.destination_balance, u.replayed
  from unnest(v_transaction_ids, v_replays) with ordinality
    as u (transaction_id, replayed, ordinal)
  inner join pgwallet.posting as p on p.transaction_id = u.transaction_id
  order by u.ordinal;
end;
$function$;

comment on function pgwallet.deposit_many(bigint[], numeric[], text[]) is
'Pays money from outside into many wallets, all or none. Raises: PW001, PW002, PW101, PW203.';
