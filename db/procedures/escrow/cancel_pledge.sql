-- Gives what is left of a pledge back to its wallet while the project is open: the backer's own
-- way, where refund_escrow is an operator's.
--
-- Locks, in order: the idempotency key, the escrow, a share of the project, so that it stays open,
-- the wallet.
create or replace function pgwallet.cancel_pledge(
  p_escrow_id bigint,
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
as $function$
declare
  v_request text;
  v_project_id bigint;
  v_transaction_id bigint;
  v_replayed boolean;
  v_status pgwallet.project_status;
  v_escrow pgwallet.escrow;
  v_left numeric;
begin
  if p_idempotency_key !~ '[!-~]' or length(p_idempotency_key) > 200
    or p_effective_at is not null or octet_length(p_metadata::text) > 1000
  then
    perform pgwallet._check_call(p_idempotency_key, p_metadata, p_effective_at);
  end if;
  select e.project_id into v_project_id from pgwallet.escrow as e where e.escrow_id = p_escrow_id;
  if not found then
    perform pgwallet._refuse_missing('escrow', p_escrow_id);
  end if;
  if p_idempotency_key is not null then
    v_request := format('cancel_pledge(%s)', p_escrow_id);
  end if;

  v_transaction_id := pgwallet._insert_transaction(
    'refund', p_idempotency_key, v_request, p_metadata, p_effective_at, p_escrow_id
  );
  v_replayed := v_transaction_id is null;
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
    v_status := pgwallet._hold_project(v_project_id);
    if v_status <> 'open' then
      perform pgwallet._refuse_closed(v_project_id, v_status);
    end if;
    v_left := v_escrow.amount - v_escrow.released_amount - v_escrow.refunded_amount;
    if v_escrow.status <> 'locked' then
      perform pgwallet._refuse_not_locked(p_escrow_id, v_escrow.status, v_left, null);
    end if;

    perform pgwallet._refund_left(
      v_transaction_id, p_escrow_id, coalesce(v_escrow.expires_at <= clock_timestamp(), false)
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

comment on function pgwallet.cancel_pledge(bigint, text, jsonb, timestamptz) is
'Gives what is left of a pledge back to its wallet while the project is open. '
'Raises: PW002, PW104, PW202, PW203, PW204.';
