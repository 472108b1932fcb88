-- Locks money of a wallet for a project, in a new escrow, until it is released or refunded.
--
-- Locks, in order: a share of the ids of slot 0 for a wallet there, the idempotency key, a share of
-- the project, so that it stays open, and the wallet. The row of the project is not touched: any
-- number of pledges to it run side by side.
-- Reads by index alone: a plan from when the tables were small would go on scanning them.
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
set enable_seqscan = off
as $function$
declare
  -- In slot 0 it must be no id that somebody is giving to a project.
  v_escrow_id bigint := case
    when p_wallet_id % 1024 = 0 then pgwallet._draw_account_id(0)
    else nextval('pgwallet.id_seq') * 1024 + p_wallet_id % 1024
  end;
  v_request text;
  v_transaction_id bigint;
  v_escrow_account_id bigint;
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
    v_request := format('pledge(%s, %s, %s)', p_wallet_id, p_project_id, trim_scale(p_amount));
    -- As _insert_transaction does, without that call: 4 % of this one.
    insert into pgwallet.transaction as t (
      kind, idempotency_key, request, metadata, effective_at, escrow_id
    )
    values ('pledge', p_idempotency_key, v_request, p_metadata, p_effective_at, v_escrow_id)
    on conflict (idempotency_key) where idempotency_key is not null do nothing
    returning t.transaction_id into v_transaction_id;
    if v_transaction_id is null then
      return query
      select
        t.transaction_id, e.escrow_id, e.wallet_id, e.project_id,
        p.amount, e.status::text, p.source_balance, true
      from pgwallet.transaction as t
      inner join pgwallet.escrow as e on e.escrow_id = t.escrow_id
      inner join pgwallet.posting as p on p.transaction_id = t.transaction_id
      where t.idempotency_key = p_idempotency_key collate "C" and t.request = v_request;
      if found then
        return;
      end if;
    end if;
  end if;
  -- Only now: a replay may come when it is past.
  if p_expires_at is not null then
    perform pgwallet._check_expiry(p_expires_at);
  end if;
  if p_idempotency_key is not null and v_transaction_id is null then
    perform pgwallet._check_account('wallet', p_wallet_id, null);
    perform pgwallet._check_account('project', p_project_id, null);
    perform pgwallet._check_account('wallet', p_wallet_id, p_amount);
    perform pgwallet._refuse_key(p_idempotency_key, v_request);
  end if;

  -- The lock that _hold_project takes, without that call where nobody is closing.
  if current_setting('transaction_isolation') <> 'read committed'
    or not pg_try_advisory_xact_lock_shared(hashint8extended(p_project_id, 0))
  then
    perform pgwallet._hold_project(p_project_id);
  end if;

  -- A fresh statement, which sees a closing or a freeze that was faster.
  update pgwallet.account as a
  set balance = a.balance - trim_scale(p_amount)
  from pgwallet.project as p
  where a.account_id = p_wallet_id and a.kind = 'wallet'
    and a.balance + a.credit_limit >= p_amount and a.frozen_at is null and a.closed_at is null
    and scale(trim_scale(p_amount)) <= scale(a.balance)
    and p.project_id = p_project_id and p.currency = a.currency
    and p.status = 'open' and p.frozen_at is null and p.max_pledge >= p_amount
  returning a.balance, p.escrow_account_id
  into v_balance, v_escrow_account_id;
  if not found then
    perform pgwallet._refuse_pledge(p_wallet_id, p_project_id, p_amount);
  end if;

  if v_transaction_id is null then
    insert into pgwallet.transaction as t (kind, escrow_id, metadata, effective_at)
    values ('pledge', v_escrow_id, p_metadata, p_effective_at)
    returning t.transaction_id into v_transaction_id;
  end if;
  amount := round(p_amount, scale(v_balance));
  insert into pgwallet.escrow (escrow_id, project_id, wallet_id, expires_at, amount)
  values (v_escrow_id, p_project_id, p_wallet_id, p_expires_at, amount);
  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, source_balance
  )
  values (v_transaction_id, p_wallet_id, v_escrow_account_id, amount, v_balance);

  transaction_id := v_transaction_id;
  escrow_id := v_escrow_id;
  wallet_id := p_wallet_id;
  project_id := p_project_id;
  status := 'locked';
  balance := v_balance;
  replayed := false;
  return next;
end;
$function$;

comment on function pgwallet.pledge(
  bigint, bigint, numeric, timestamptz, text, jsonb, timestamptz
) is
'Locks money of a wallet for a project. '
'Raises: PW001, PW002, PW003, PW101, PW103, PW201, PW203, PW204, PW208, PW209, PW301.';
