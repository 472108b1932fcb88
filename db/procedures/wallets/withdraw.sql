-- Pays money out of a wallet to the outside; never more than is in it.
--
-- Locks, in order: the idempotency key, the wallet.
create or replace function pgwallet.withdraw(
  p_wallet_id bigint,
  p_amount numeric,
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (transaction_id bigint, balance numeric, replayed boolean)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_request text;
  v_currency pgwallet.currency;
  v_amount numeric;
  v_transaction_id bigint;
  v_balance numeric;
begin
  if (p_amount > 0 and p_amount < 1000000000000000) is not true then
    perform pgwallet._refuse_amount(p_amount);
  end if;
  if p_idempotency_key is not null or p_effective_at is not null then
    perform pgwallet._check_call(p_idempotency_key, p_effective_at);
  end if;
  v_currency := pgwallet._currency_of('wallet', p_wallet_id, p_amount);
  v_amount := round(p_amount, v_currency.exponent);
  if p_idempotency_key is not null then
    v_request := format('withdraw(%s, %s)', p_wallet_id, trim_scale(p_amount));
  end if;

  insert into pgwallet.transaction as t (
    kind, idempotency_key, request, metadata, effective_at
  )
  values ('withdrawal', p_idempotency_key, v_request, p_metadata, p_effective_at)
  on conflict do nothing
  returning t.transaction_id into v_transaction_id;
  if not found then
    v_transaction_id := pgwallet._replay(p_idempotency_key, v_request);
    return query
    select p.transaction_id, p.source_balance, true
    from pgwallet.posting as p
    where p.transaction_id = v_transaction_id;
    return;
  end if;

  update pgwallet.account as a
  set balance = a.balance - v_amount
  where a.account_id = p_wallet_id and a.balance >= v_amount
  returning a.balance into v_balance;
  if not found then
    select a.balance into v_balance from pgwallet.account as a where a.account_id = p_wallet_id;
    perform pgwallet._refuse_funds('wallet', p_wallet_id, v_balance, v_amount);
  end if;

  return query
  insert into pgwallet.posting as p (
    transaction_id, source_account_id, destination_account_id, amount, source_balance
  )
  values (v_transaction_id, p_wallet_id, v_currency.external_account_id, v_amount, v_balance)
  returning p.transaction_id, p.source_balance, false;
end;
$function$;

comment on function pgwallet.withdraw(bigint, numeric, text, jsonb, timestamptz) is
'Pays money out of a wallet to the outside. Raises: PW001, PW002, PW101, PW201, PW203.';
