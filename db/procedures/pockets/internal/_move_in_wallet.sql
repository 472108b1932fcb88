-- Moves money between a wallet and one of its pockets, in the direction of p_kind.
--
-- Locks, in order: the idempotency key, the wallet, whose lock guards its pockets.
create or replace function pgwallet._move_in_wallet(
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
  v_change numeric := case when v_in then trim_scale(p_amount) else -trim_scale(p_amount) end;
  v_request text;
  v_transaction_id bigint;
  v_wallet_id bigint;
  v_balance numeric;
  v_wallet_balance numeric;
  v_amount numeric;
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
    v_request := format('%s(%s, %s)', p_kind, p_pocket_id, trim_scale(p_amount));
    v_transaction_id := pgwallet._insert_transaction(
      p_kind, p_idempotency_key, v_request, p_metadata, p_effective_at
    );
    if v_transaction_id is null then
      return query
      select
        p.transaction_id,
        case when v_in then p.destination_balance else p.source_balance end,
        case when v_in then p.source_balance else p.destination_balance end,
        true
      from pgwallet.transaction as t
      inner join pgwallet.posting as p on p.transaction_id = t.transaction_id
      where t.idempotency_key = p_idempotency_key collate "C" and t.request = v_request;
      if not found then
        perform pgwallet._check_account('pocket', p_pocket_id, p_amount);
        perform pgwallet._refuse_key(p_idempotency_key, v_request);
      end if;
      return;
    end if;
  end if;

  select k.wallet_id into v_wallet_id from pgwallet.pocket as k where k.pocket_id = p_pocket_id;

  update pgwallet.account as a
  set balance = a.balance - v_change
  where a.account_id = v_wallet_id and (a.balance >= v_change or not v_in)
    and scale(v_change) <= scale(a.balance)
  returning a.balance into v_wallet_balance;
  if found then
    update pgwallet.account as a
    set balance = a.balance + v_change
    where a.account_id = p_pocket_id and a.balance >= -v_change and a.closed_at is null
    returning a.balance into v_balance;
  end if;
  if not found then
    perform pgwallet._check_account('pocket', p_pocket_id, p_amount);
    perform pgwallet._refuse_closed_account('pocket', a.account_id, a.closed_at)
    from pgwallet.account as a where a.account_id = p_pocket_id and a.closed_at is not null;
    perform pgwallet._refuse_funds(
      a.kind::text, a.account_id, a.balance, round(p_amount, scale(a.balance))
    )
    from pgwallet.account as a
    where a.account_id = case when v_in then v_wallet_id else p_pocket_id end;
  end if;

  if v_transaction_id is null then
    insert into pgwallet.transaction as t (kind, metadata, effective_at)
    values (p_kind, p_metadata, p_effective_at)
    returning t.transaction_id into v_transaction_id;
  end if;
  v_amount := round(p_amount, scale(v_balance));
  if v_in then
    insert into pgwallet.posting (
      transaction_id, source_account_id, destination_account_id, amount,
      source_balance, destination_balance
    )
    values (
      v_transaction_id, v_wallet_id, p_pocket_id, v_amount, v_wallet_balance, v_balance
    );
  else
    insert into pgwallet.posting (
      transaction_id, source_account_id, destination_account_id, amount,
      source_balance, destination_balance
    )
    values (
      v_transaction_id, p_pocket_id, v_wallet_id, v_amount, v_balance, v_wallet_balance
    );
  end if;

  transaction_id := v_transaction_id;
  balance := v_balance;
  wallet_balance := v_wallet_balance;
  replayed := false;
  return next;
end;
$function$;
