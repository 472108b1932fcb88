-- Receives money in a wallet that came from another shard.
--
-- Locks, in order: the idempotency key, the wallet.
create or replace function pgwallet_shard.receive(
  p_wallet_id bigint,
  p_amount numeric,
  p_idempotency_key text,
  p_metadata jsonb,
  p_effective_at timestamptz
)
returns table (transaction_id bigint, balance numeric, currency text, replayed boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_account pgwallet.account;
  v_transit_id bigint;
  v_request text;
begin
  select a.* into v_account from pgwallet.account as a where a.account_id = p_wallet_id;
  v_transit_id := pgwallet_shard.find_transit(v_account.currency);
  v_request := format('transfer(%s, %s, %s)', v_transit_id, p_wallet_id, trim_scale(p_amount));
  transaction_id := pgwallet._insert_transaction(
    'transfer', p_idempotency_key, v_request, p_metadata, p_effective_at
  );
  if transaction_id is null then
    perform pgwallet._refuse_key(p_idempotency_key, v_request);
  end if;

  update pgwallet.account as a
  set balance = a.balance + trim_scale(p_amount)
  where a.account_id = p_wallet_id and a.kind = 'wallet' and a.closed_at is null
  returning a.balance into balance;
  if not found then
    select a.* into v_account from pgwallet.account as a where a.account_id = p_wallet_id;
    perform pgwallet._check_account('wallet', p_wallet_id, p_amount);
    perform pgwallet._refuse_closed_account('wallet', p_wallet_id, v_account.closed_at);
  end if;
  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, destination_balance
  )
  values (
    receive.transaction_id, v_transit_id, p_wallet_id,
    round(p_amount, scale(receive.balance)), receive.balance
  );

  currency := v_account.currency;
  replayed := false;
  return next;
end;
$function$;
