-- Moves money between a wallet and one of its pockets, in the direction of p_kind.
--
-- Locks, in order: the idempotency key, the wallet, whose lock guards its pockets.
create or replace function pgwallet._transfer(
  p_kind pgwallet.transaction_kind,
  p_pocket_id bigint,
  p_amount numeric,
  p_idempotency_key text,
  p_metadata jsonb,
  p_effective_at timestamptz
)
returns table (
  transaction_id bigint, balance numeric, wallet_balance numeric, replayed boolean
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_in boolean := p_kind = 'transfer_to_pocket';
  v_request text;
  v_currency pgwallet.currency;
  v_amount numeric;
  v_wallet_id bigint;
  v_source_id bigint;
  v_destination_id bigint;
  v_transaction_id bigint;
  v_source_balance numeric;
  v_destination_balance numeric;
begin
  if (p_amount > 0 and p_amount < 1000000000000000) is not true then
    perform pgwallet._refuse_amount(p_amount);
  end if;
  if p_idempotency_key is not null or p_effective_at is not null then
    perform pgwallet._check_call(p_idempotency_key, p_effective_at);
  end if;
  v_currency := pgwallet._currency_of('pocket', p_pocket_id, p_amount);
  v_amount := round(p_amount, v_currency.exponent);
  if p_idempotency_key is not null then
    v_request := format('%s(%s, %s)', p_kind, p_pocket_id, trim_scale(p_amount));
  end if;

  insert into pgwallet.transaction as t (
    kind, idempotency_key, request, metadata, effective_at
  )
  values (p_kind, p_idempotency_key, v_request, p_metadata, p_effective_at)
  on conflict do nothing
  returning t.transaction_id into v_transaction_id;
  if not found then
    v_transaction_id := pgwallet._replay(p_idempotency_key, v_request);
    return query
    select
      p.transaction_id,
      case when v_in then p.destination_balance else p.source_balance end,
      case when v_in then p.source_balance else p.destination_balance end,
      true
    from pgwallet.posting as p
    where p.transaction_id = v_transaction_id;
    return;
  end if;

  select k.wallet_id into v_wallet_id from pgwallet.pocket as k where k.pocket_id = p_pocket_id;
  v_source_id := case when v_in then v_wallet_id else p_pocket_id end;
  v_destination_id := case when v_in then p_pocket_id else v_wallet_id end;

  perform from pgwallet.account as a where a.account_id = v_wallet_id for no key update;

  update pgwallet.account as a
  set balance = a.balance - v_amount
  where a.account_id = v_source_id and a.balance >= v_amount
  returning a.balance into v_source_balance;
  if not found then
    select a.balance into v_source_balance
    from pgwallet.account as a where a.account_id = v_source_id;
    perform pgwallet._refuse_funds(
      case when v_in then 'wallet' else 'pocket' end, v_source_id, v_source_balance, v_amount
    );
  end if;

  update pgwallet.account as a
  set balance = a.balance + v_amount
  where a.account_id = v_destination_id
  returning a.balance into v_destination_balance;

  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount,
    source_balance, destination_balance
  )
  values (
    v_transaction_id, v_source_id, v_destination_id, v_amount,
    v_source_balance, v_destination_balance
  );

  return query
  select
    v_transaction_id,
    case when v_in then v_destination_balance else v_source_balance end,
    case when v_in then v_source_balance else v_destination_balance end,
    false;
end;
$function$;

comment on function pgwallet._transfer(
  pgwallet.transaction_kind, bigint, numeric, text, jsonb, timestamptz
) is
'Moves money between a wallet and one of its pockets. Raises: PW001, PW002, PW102, PW201, PW203.';
