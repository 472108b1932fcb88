-- Pays money of a wallet or a project to the outside; never more than is in its account.
--
-- Locks, in order: the idempotency key, the account.
create or replace function pgwallet._pay_out(
  p_kind pgwallet.transaction_kind,
  p_account_kind pgwallet.account_kind,
  p_account_id bigint,
  p_amount numeric,
  p_idempotency_key text,
  p_metadata jsonb,
  p_effective_at timestamptz
)
returns table (transaction_id bigint, balance numeric, replayed boolean)
language plpgsql
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
  v_currency := pgwallet._currency_of(p_account_kind, p_account_id, p_amount);
  v_amount := round(p_amount, v_currency.exponent);
  if p_idempotency_key is not null then
    v_request := format('%s(%s, %s)', p_kind, p_account_id, trim_scale(p_amount));
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
    select p.transaction_id, p.source_balance, true
    from pgwallet.posting as p
    where p.transaction_id = v_transaction_id;
    return;
  end if;

  update pgwallet.account as a
  set balance = a.balance - v_amount
  where a.account_id = p_account_id and a.balance >= v_amount
  returning a.balance into v_balance;
  if not found then
    select a.balance into v_balance from pgwallet.account as a where a.account_id = p_account_id;
    perform pgwallet._refuse_funds(p_account_kind::text, p_account_id, v_balance, v_amount);
  end if;

  return query
  insert into pgwallet.posting as p (
    transaction_id, source_account_id, destination_account_id, amount, source_balance
  )
  values (v_transaction_id, p_account_id, v_currency.external_account_id, v_amount, v_balance)
  returning p.transaction_id, p.source_balance, false;
end;
$function$;

comment on function pgwallet._pay_out(
  pgwallet.transaction_kind, pgwallet.account_kind, bigint, numeric, text, jsonb, timestamptz
) is
'Pays money of a wallet or a project to the outside. '
'Raises: PW001, PW002, PW101, PW103, PW201, PW203.';
