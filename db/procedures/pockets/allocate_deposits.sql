-- Splits amounts in many wallets over their pockets: one transaction an element, all or none. An
-- element in which no pocket receives anything has one row without a pocket.
--
-- Locks, in order: the idempotency keys, sorted; the wallets by id.
-- Plans are made once and walk along indexes, an element at a time: that suits any size, and made
-- anew for each call they cost more than a hundred elements.
create or replace function pgwallet.allocate_deposits(
  p_wallet_ids bigint[],
  p_amounts numeric[],
  p_idempotency_keys text[] default null,
  p_rounding text default 'half_up',
  p_metadata jsonb[] default null,
  p_effective_at timestamptz[] default null
)
returns table (
  transaction_id bigint, wallet_id bigint, pocket_id bigint, name text,
  allocation_percentage numeric, amount numeric, balance numeric, replayed boolean
)
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
begin
  perform pgwallet._check_arrays(
    p_wallet_ids, p_amounts, p_idempotency_keys, p_metadata, p_effective_at
  );
  perform pgwallet._check_rounding(p_rounding);
  if cardinality(p_amounts) = 0 then
    return;
  end if;
  perform pgwallet._check_wallets(p_wallet_ids, p_amounts);

  if p_idempotency_keys is not null then
    v_requests := pgwallet._write_requests(
      'allocate_deposits(%s, %s, ' || p_rounding || ')', p_wallet_ids, p_amounts
    );
  end if;
  select c.transaction_ids, c.replays
  into v_transaction_ids, v_replays
  from pgwallet._insert_transactions(
    'allocation', cardinality(p_amounts), p_idempotency_keys, v_requests, p_metadata,
    p_effective_at
  ) as c;

  if not true = any (v_replays) then
    return query
    select
      m.transaction_id, m.wallet_id, m.pocket_id, m.name, m.allocation_percentage,
      m.amount, m.balance, false
    from pgwallet._move_shares(p_wallet_ids, p_amounts, v_transaction_ids, p_rounding) as m
    order by m.ordinal, m.place;
    return;
  end if;

  perform pgwallet._move_shares(
    array_agg(u.wallet_id order by u.ordinal),
    array_agg(u.amount order by u.ordinal),
    array_agg(u.transaction_id order by u.ordinal),
    p_rounding
  )
  from unnest(p_wallet_ids, p_amounts, v_transaction_ids, v_replays) with ordinality
    as u (wallet_id, amount, transaction_id, replayed, ordinal)
  where not u.replayed;

  return query
  select
    u.transaction_id, u.wallet_id, k.pocket_id, k.name, k.allocation_percentage,
    coalesce(p.amount, round(0.0, scale(a.balance))), p.destination_balance, u.replayed
  from unnest(p_wallet_ids, v_transaction_ids, v_replays) with ordinality
    as u (wallet_id, transaction_id, replayed, ordinal)
  inner join pgwallet.account as a on a.account_id = u.wallet_id
  left join pgwallet.posting as p on p.transaction_id = u.transaction_id
  left join pgwallet.pocket as k on k.pocket_id = p.destination_account_id
  order by u.ordinal, p.posting_id;
end;
$function$;

comment on function pgwallet.allocate_deposits(
  bigint[], numeric[], text[], text, jsonb[], timestamptz[]
) is
'Splits amounts in many wallets over their pockets, all or none. '
'Raises: PW001, PW002, PW101, PW201, PW203, PW209.';
