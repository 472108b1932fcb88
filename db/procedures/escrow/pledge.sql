-- Locks money of a wallet for a project, in a new escrow, until it is released or refunded.
--
-- Locks, in order: the idempotency key, a share of the project, so that it stays open, and the
-- wallet. The row of the project is not touched: any number of pledges to it run side by side.
create or replace function pgwallet.pledge(
  p_wallet_id bigint,
  p_project_id bigint,
  p_amount numeric,
  p_expires_at timestamptz default null,
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (
  transaction_id bigint, escrow_id bigint, wallet_id bigint, project_id bigint,
  amount numeric, status text, balance numeric, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_request text;
  v_currency pgwallet.currency;
  v_project pgwallet.project;
  v_amount numeric;
  v_escrow_id bigint;
  v_transaction_id bigint;
  v_status pgwallet.project_status;
  v_balance numeric;
begin
  if (p_amount > 0 and p_amount < 1000000000000000) is not true then
    perform pgwallet._refuse_amount(p_amount);
  end if;
  if p_idempotency_key is not null or p_effective_at is not null then
    perform pgwallet._check_call(p_idempotency_key, p_effective_at);
  end if;
  if p_idempotency_key is not null then
    v_request := format('pledge(%s, %s, %s)', p_wallet_id, p_project_id, trim_scale(p_amount));
  end if;
  if p_expires_at is not null then
    perform pgwallet._check_expiry(p_expires_at, p_idempotency_key, v_request);
  end if;
  v_currency := pgwallet._currency_of('wallet', p_wallet_id, null);
  select p.* into v_project from pgwallet.project as p where p.project_id = p_project_id;
  if not found then
    perform pgwallet._refuse_missing('project', p_project_id);
  end if;
  if scale(trim_scale(p_amount)) > v_currency.exponent then
    perform pgwallet._refuse_decimals(p_amount, v_currency.currency, v_currency.exponent);
  end if;
  v_amount := round(p_amount, v_currency.exponent);

  -- In the wallet's slot, like all that belongs to it.
  v_escrow_id := nextval('pgwallet.id_seq') * 1024 + p_wallet_id % 1024;
  insert into pgwallet.transaction as t (
    kind, escrow_id, idempotency_key, request, metadata, effective_at
  )
  values ('pledge', v_escrow_id, p_idempotency_key, v_request, p_metadata, p_effective_at)
  on conflict do nothing
  returning t.transaction_id into v_transaction_id;
  if not found then
    v_transaction_id := pgwallet._replay(p_idempotency_key, v_request);
    return query
    select
      t.transaction_id, e.escrow_id, e.wallet_id, e.project_id,
      e.amount, e.status::text, p.source_balance, true
    from pgwallet.transaction as t
    inner join pgwallet.escrow as e on e.escrow_id = t.escrow_id
    inner join pgwallet.posting as p on p.transaction_id = t.transaction_id
    where t.transaction_id = v_transaction_id;
    return;
  end if;

  if v_project.currency <> v_currency.currency then
    perform pgwallet._refuse_currency(
      p_wallet_id, v_currency.currency, p_project_id, v_project.currency
    );
  end if;
  v_status := pgwallet._project_status(p_project_id);
  if v_status <> 'open' then
    perform pgwallet._refuse_closed(p_project_id, v_status);
  end if;
  if v_amount > v_project.max_pledge then
    perform pgwallet._refuse_limit(p_project_id, v_amount, v_project.max_pledge);
  end if;

  update pgwallet.account as a
  set balance = a.balance - v_amount
  where a.account_id = p_wallet_id and a.balance >= v_amount
  returning a.balance into v_balance;
  if not found then
    select a.balance into v_balance from pgwallet.account as a where a.account_id = p_wallet_id;
    perform pgwallet._refuse_funds('wallet', p_wallet_id, v_balance, v_amount);
  end if;

  insert into pgwallet.escrow (escrow_id, project_id, wallet_id, expires_at, amount)
  values (v_escrow_id, p_project_id, p_wallet_id, p_expires_at, v_amount);
  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, source_balance
  )
  values (v_transaction_id, p_wallet_id, v_project.escrow_account_id, v_amount, v_balance);

  return query
  select
    v_transaction_id, v_escrow_id, p_wallet_id, p_project_id, v_amount, 'locked', v_balance, false;
end;
$function$;

comment on function pgwallet.pledge(
  bigint, bigint, numeric, timestamptz, text, jsonb, timestamptz
) is
'Locks money of a wallet for a project. '
'Raises: PW001, PW002, PW003, PW101, PW103, PW201, PW203, PW204, PW301.';
