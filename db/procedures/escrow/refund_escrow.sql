-- Gives an escrow, or a part of it, back to the wallet that pledged it.
--
-- Locks, in order: the idempotency key, the escrow, the wallet.
-- Reads by index alone: a plan from when the tables were small would go on scanning them.
create or replace function pgwallet.refund_escrow(
  p_escrow_id bigint,
  p_amount numeric default null,
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (
  transaction_id bigint, escrow_id bigint, wallet_id bigint, refunded_amount numeric,
  status text, balance numeric, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $function$
declare
  v_request text;
  v_transaction_id bigint;
  v_asked numeric := p_amount;
  v_amount numeric;
  v_wallet_id bigint;
  v_project_id bigint;
  v_escrow_account_id bigint;
  v_balance numeric;
begin
  if p_amount is not null and (p_amount > 0 and p_amount < 1000000000000000) is not true then
    perform pgwallet._refuse_amount(p_amount);
  end if;
  if p_idempotency_key !~ '[!-~]' or length(p_idempotency_key) > 200
    or p_effective_at is not null or octet_length(p_metadata::text) > 1000
  then
    perform pgwallet._check_call(p_idempotency_key, p_metadata, p_effective_at);
  end if;
  if p_idempotency_key is null then
    insert into pgwallet.transaction as t (kind, escrow_id, metadata, effective_at)
    values ('refund', p_escrow_id, p_metadata, p_effective_at)
    returning t.transaction_id into v_transaction_id;
  else
    v_request := format(
      'refund_escrow(%s, %s)', p_escrow_id, coalesce(trim_scale(p_amount)::text, 'null')
    );
    v_transaction_id := pgwallet._insert_transaction(
      'refund', p_idempotency_key, v_request, p_metadata, p_effective_at, p_escrow_id
    );
    if v_transaction_id is null then
      return query
      select
        t.transaction_id, e.escrow_id, e.wallet_id, p.amount, e.status::text,
        p.destination_balance, true
      from pgwallet.transaction as t
      inner join pgwallet.escrow as e on e.escrow_id = t.escrow_id
      inner join pgwallet.posting as p on p.transaction_id = t.transaction_id
      where t.idempotency_key = p_idempotency_key collate "C" and t.request = v_request;
      if not found then
        perform pgwallet._check_escrow(p_escrow_id, p_amount);
        perform pgwallet._refuse_key(p_idempotency_key, v_request);
      end if;
      return;
    end if;
  end if;

  -- Without an amount, the first round takes the whole only where nothing was refunded before: what
  -- it took could not be told from that. Where it takes nothing, the escrow is locked and looked at,
  -- and the second round takes what it may.
  for v_round in 1..2 loop
    update pgwallet.escrow as e
    set
      refunded_amount = coalesce(
        e.refunded_amount + round(v_asked, scale(e.amount)), e.amount - e.released_amount
      ),
      status = case
        when e.expires_at is not null and e.released_amount = 0
          and coalesce(v_asked = e.amount - e.refunded_amount, true)
          and pgwallet._has_expired(e.project_id, e.expires_at)
          then 'expired'
        else pgwallet._escrow_status(
          e.amount, e.released_amount,
          coalesce(e.refunded_amount + v_asked, e.amount - e.released_amount)
        )
      end,
      settled_by = case
        when coalesce(v_asked = e.amount - e.released_amount - e.refunded_amount, true)
          then v_transaction_id
      end
    where e.escrow_id = p_escrow_id and e.status = 'locked'
      and coalesce(
        v_asked <= e.amount - e.released_amount - e.refunded_amount
        and scale(trim_scale(v_asked)) <= scale(e.amount),
        e.refunded_amount = 0
      )
    returning
      e.wallet_id, e.project_id, e.status,
      coalesce(round(v_asked, scale(e.amount)), e.refunded_amount)
    into v_wallet_id, v_project_id, status, v_amount;
    exit when found;
    v_asked := pgwallet._hold_left(p_escrow_id, p_amount);
  end loop;

  update pgwallet.account as a
  set balance = a.balance + v_amount
  from pgwallet.project as p
  where a.account_id = v_wallet_id and p.project_id = v_project_id
  returning a.balance, p.escrow_account_id
  into v_balance, v_escrow_account_id;
  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, destination_balance
  )
  values (v_transaction_id, v_escrow_account_id, v_wallet_id, v_amount, v_balance);

  transaction_id := v_transaction_id;
  escrow_id := p_escrow_id;
  wallet_id := v_wallet_id;
  refunded_amount := v_amount;
  balance := v_balance;
  replayed := false;
  return next;
end;
$function$;

comment on function pgwallet.refund_escrow(bigint, numeric, text, jsonb, timestamptz) is
'Gives an escrow, or a part of it, back to its wallet. '
'Raises: PW001, PW002, PW104, PW202, PW203, PW206.';
