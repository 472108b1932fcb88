-- Pays money from outside into a wallet.
--
-- Locks, in order: the idempotency key, the wallet.
create or replace function pgwallet.deposit(
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
  v_transaction_id bigint;
  v_external_account_id bigint;
  v_balance numeric;
begin
  if (p_amount > 0 and p_amount < 1000000000000000) is not true then
    perform pgwallet._refuse_amount(p_amount);
  end if;
  if p_idempotency_key !~ '[!-~]' or length(p_idempotency_key) > 200
    or p_effective_at is not null or octet_length(p_metadata::text) > 1000
  then
    perform pgwallet._check_call(p_idempotency_key, p_metadata, p_effective_at);
  end if;
  if p_idempotency_key is not null then
    v_request := format('deposit(%s, %s)', p_wallet_id, trim_scale(p_amount));
    -- As _insert_transaction does, without that call: 4 % of this one.
    insert into pgwallet.transaction as t (kind, idempotency_key, request, metadata, effective_at)
    values ('deposit', p_idempotency_key, v_request, p_metadata, p_effective_at)
    on conflict (idempotency_key) where idempotency_key is not null do nothing
    returning t.transaction_id into v_transaction_id;
    if v_transaction_id is null then
      return query
      select p.transaction_id, p.destination_balance, true
      from pgwallet.transaction as t
      inner join pgwallet.posting as p on p.transaction_id = t.transaction_id
      where t.idempotency_key = p_idempotency_key collate "C" and t.request = v_request;
      if not found then
        perform pgwallet._check_account('wallet', p_wallet_id, p_amount);
        perform pgwallet._refuse_key(p_idempotency_key, v_request);
      end if;
      return;
    end if;
  end if;

  update pgwallet.account as a
  set balance = a.balance + trim_scale(p_amount)
  where a.account_id = p_wallet_id and a.kind = 'wallet' and a.closed_at is null
    and scale(trim_scale(p_amount)) <= scale(a.balance)
  returning a.balance, a.external_account_id
  into v_balance, v_external_account_id;
  if not found then
    perform pgwallet._check_account('wallet', p_wallet_id, p_amount);
    perform pgwallet._check_open_wallets(array[p_wallet_id]);
  end if;

  if v_transaction_id is null then
    insert into pgwallet.transaction as t (kind, metadata, effective_at)
    values ('deposit', p_metadata, p_effective_at)
    returning t.transaction_id into v_transaction_id;
  end if;
  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, destination_balance
  )
  values (
    v_transaction_id, v_external_account_id, p_wallet_id,
    round(p_amount, scale(v_balance)), v_balance
  );

  transaction_id := v_transaction_id;
  balance := v_balance;
  replayed := false;
  return next;
end;
$function$;

comment on function pgwallet.deposit(bigint, numeric, text, jsonb, timestamptz) is
'Pays money from outside into a wallet. Raises: PW001, PW002, PW101, PW203, PW209.';
