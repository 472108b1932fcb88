-- Closes a pocket for good: what it held goes back to its wallet, its name and percentage are free.
--
-- Locks, in order: the idempotency key, the wallet, whose lock guards its pockets.
create or replace function pgwallet.close_pocket(
  p_pocket_id bigint,
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (
  transaction_id bigint, pocket_id bigint, wallet_id bigint, amount numeric,
  wallet_balance numeric, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_request text := format('close_pocket(%s)', p_pocket_id);
  v_pocket pgwallet.pocket;
  v_transaction_id bigint;
  v_amount numeric;
  v_wallet_balance numeric;
begin
  perform pgwallet._check_call(p_idempotency_key, p_metadata, p_effective_at);
  select k.* into v_pocket from pgwallet.pocket as k where k.pocket_id = p_pocket_id;
  if not found then
    perform pgwallet._refuse_missing('pocket', p_pocket_id);
  end if;

  v_transaction_id := pgwallet._insert_transaction(
    'pocket_closing', p_idempotency_key, case when p_idempotency_key is not null then v_request end,
    p_metadata, p_effective_at
  );
  if v_transaction_id is null then
    -- An empty pocket left no posting: its wallet then held what it did at that time.
    return query
    select
      t.transaction_id, k.pocket_id, k.wallet_id,
      coalesce(p.amount, round(0.0, scale(a.balance))),
      coalesce(p.destination_balance, pgwallet.balance_at(k.wallet_id, k.closed_at)), true
    from pgwallet.transaction as t
    inner join pgwallet.pocket as k on k.pocket_id = p_pocket_id
    inner join pgwallet.account as a on a.account_id = k.pocket_id
    left join pgwallet.posting as p on p.transaction_id = t.transaction_id
    where t.idempotency_key = p_idempotency_key collate "C" and t.request = v_request;
    if not found then
      perform pgwallet._refuse_key(p_idempotency_key, v_request);
    end if;
    return;
  end if;

  perform from pgwallet.account as a where a.account_id = v_pocket.wallet_id for no key update;

  -- Fresh statements: what it is and holds now that nobody can change it.
  select k.* into v_pocket
  from pgwallet.pocket as k where k.pocket_id = p_pocket_id
  for no key update;
  if v_pocket.closed_at is not null then
    perform pgwallet._refuse_closed_account('pocket', p_pocket_id, v_pocket.closed_at);
  end if;
  select b.balance, a.balance + b.balance
  into v_amount, v_wallet_balance
  from pgwallet.account as a
  inner join pgwallet.account as b on b.account_id = p_pocket_id
  where a.account_id = v_pocket.wallet_id;

  if v_amount > 0 then
    update pgwallet.account as a
    set balance = v_wallet_balance
    where a.account_id = v_pocket.wallet_id;
    insert into pgwallet.posting (
      transaction_id, source_account_id, destination_account_id, amount,
      source_balance, destination_balance
    )
    values (
      v_transaction_id, p_pocket_id, v_pocket.wallet_id, v_amount,
      v_amount - v_amount, v_wallet_balance
    );
  end if;
  perform pgwallet._close_pockets(array[p_pocket_id]);

  return query
  select
    v_transaction_id, p_pocket_id, v_pocket.wallet_id, v_amount, v_wallet_balance, false;
end;
$function$;

comment on function pgwallet.close_pocket(bigint, text, jsonb, timestamptz) is
'Closes a pocket and returns what it held to its wallet. Raises: PW002, PW102, PW203, PW209.';
