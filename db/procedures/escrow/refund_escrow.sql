-- Gives an escrow, or a part of it, back to the wallet that pledged it.
--
-- Locks, in order: the idempotency key, the escrow, the wallet.
-- Plans are made once, along indexes: made anew for each call, they cost more than the call.
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
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $function$
declare
  v_request text;
  v_project_id bigint;
  v_currency pgwallet.currency;
  v_transaction_id bigint;
  v_replayed boolean;
  v_escrow pgwallet.escrow;
  v_left numeric;
  v_amount numeric;
  v_expired boolean;
begin
  if p_amount is not null and (p_amount > 0 and p_amount < 1000000000000000) is not true then
    perform pgwallet._refuse_amount(p_amount);
  end if;
  if p_idempotency_key !~ '[!-~]' or length(p_idempotency_key) > 200
    or p_effective_at is not null or octet_length(p_metadata::text) > 1000
  then
    perform pgwallet._check_call(p_idempotency_key, p_metadata, p_effective_at);
  end if;
  select e.project_id into v_project_id from pgwallet.escrow as e where e.escrow_id = p_escrow_id;
  if not found then
    perform pgwallet._refuse_missing('escrow', p_escrow_id);
  end if;
  v_currency := pgwallet._check_account('project', v_project_id, p_amount);
  if p_idempotency_key is not null then
    v_request := format(
      'refund_escrow(%s, %s)', p_escrow_id, coalesce(trim_scale(p_amount)::text, 'null')
    );
  end if;

  insert into pgwallet.transaction as t (
    kind, escrow_id, idempotency_key, request, metadata, effective_at
  )
  values ('refund', p_escrow_id, p_idempotency_key, v_request, p_metadata, p_effective_at)
  on conflict (idempotency_key) where idempotency_key is not null do nothing
  returning t.transaction_id into v_transaction_id;
  v_replayed := not found;
  if v_replayed then
    select t.transaction_id
    into v_transaction_id
    from pgwallet.transaction as t
    where t.idempotency_key = p_idempotency_key collate "C" and t.request = v_request;
    if not found then
      perform pgwallet._refuse_key(p_idempotency_key, v_request);
    end if;
  else
    select e.* into v_escrow
    from pgwallet.escrow as e where e.escrow_id = p_escrow_id
    for no key update;
    v_left := v_escrow.amount - v_escrow.released_amount - v_escrow.refunded_amount;
    v_amount := round(coalesce(p_amount, v_left), v_currency.exponent);
    if v_escrow.status <> 'locked' or v_amount > v_left then
      perform pgwallet._refuse_settled(p_escrow_id, v_escrow.status, v_left, p_amount);
    end if;

    perform
    from pgwallet.account as a where a.account_id = v_escrow.wallet_id
    for no key update;
    v_expired := v_escrow.expires_at is not null
      and pgwallet._has_expired(v_project_id, v_escrow.expires_at);
    perform pgwallet._refund(
      v_transaction_id, array[p_escrow_id], array[v_amount], v_expired
    );
  end if;

  return query
  select
    p.transaction_id, e.escrow_id, e.wallet_id, p.amount, e.status::text,
    p.destination_balance, v_replayed
  from pgwallet.escrow as e
  inner join pgwallet.posting as p on p.transaction_id = v_transaction_id
  where e.escrow_id = p_escrow_id;
end;
$function$;

comment on function pgwallet.refund_escrow(bigint, numeric, text, jsonb, timestamptz) is
'Gives an escrow, or a part of it, back to its wallet. '
'Raises: PW001, PW002, PW104, PW202, PW203, PW206.';
