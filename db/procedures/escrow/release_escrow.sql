-- Releases an escrow, or a part of it, to its project, less commission and fee.
--
-- Locks, in order: the idempotency key, the escrow, a share of the project, so that it does not
-- fail meanwhile, the project's account.
-- Reads by index alone: a plan from when the tables were small would go on scanning them.
create or replace function pgwallet.release_escrow(
  p_escrow_id bigint,
  p_amount numeric default null,
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (
  transaction_id bigint, escrow_id bigint, project_id bigint, released_amount numeric,
  commission_amount numeric, fee_amount numeric, net_amount numeric, status text,
  replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $function$
declare
  v_request text;
  v_transaction_id bigint;
  v_project_id bigint;
  v_escrow_account_id bigint;
  v_commission_account_id bigint;
  v_fee_account_id bigint;
  v_amount numeric;
  v_commission numeric;
  v_fee numeric;
  v_net numeric;
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
    values ('release', p_escrow_id, p_metadata, p_effective_at)
    returning t.transaction_id into v_transaction_id;
  else
    v_request := format(
      'release_escrow(%s, %s)', p_escrow_id, coalesce(trim_scale(p_amount)::text, 'null')
    );
    v_transaction_id := pgwallet._insert_transaction(
      'release', p_idempotency_key, v_request, p_metadata, p_effective_at, p_escrow_id
    );
    if v_transaction_id is null then
      return query
      select
        t.transaction_id, e.escrow_id, e.project_id, d.released, d.commission, d.fee, d.net,
        e.status::text, true
      from pgwallet.transaction as t
      inner join pgwallet.escrow as e on e.escrow_id = t.escrow_id
      inner join pgwallet.project as p on p.project_id = e.project_id
      inner join pgwallet.currency as c on c.currency = p.currency
      cross join lateral (
        select
          round(sum(o.amount), scale(e.amount)) as released,
          round(coalesce(sum(o.amount) filter (
            where o.destination_account_id = c.commission_account_id
          ), 0), scale(e.amount)) as commission,
          round(coalesce(sum(o.amount) filter (
            where o.destination_account_id = c.fee_account_id
          ), 0), scale(e.amount)) as fee,
          round(coalesce(sum(o.amount) filter (
            where o.destination_account_id = e.project_id
          ), 0), scale(e.amount)) as net
        from pgwallet.posting as o
        where o.transaction_id = t.transaction_id
      ) as d
      where t.idempotency_key = p_idempotency_key collate "C" and t.request = v_request;
      if not found then
        perform pgwallet._check_escrow(p_escrow_id, p_amount);
        perform pgwallet._refuse_key(p_idempotency_key, v_request);
      end if;
      return;
    end if;
  end if;

  -- The whole of an escrow that nothing was taken of: what it comes to takes one statement.
  update pgwallet.escrow as e
  set
    released_amount = e.amount,
    commission_amount = round(e.amount * p.commission_rate, scale(e.amount)),
    fee_amount = least(
      e.amount - round(e.amount * p.commission_rate, scale(e.amount)),
      round(e.amount * p.fee_rate, scale(e.amount)) + p.fee_fixed
    ),
    net_amount = greatest(
      0,
      e.amount - round(e.amount * p.commission_rate, scale(e.amount))
      - round(e.amount * p.fee_rate, scale(e.amount)) - p.fee_fixed
    ),
    status = 'released',
    settled_by = v_transaction_id
  from pgwallet.project as p
  inner join pgwallet.currency as c on c.currency = p.currency
  where e.escrow_id = p_escrow_id and e.status = 'locked'
    and e.released_amount = 0 and e.refunded_amount = 0
    and coalesce(p_amount = e.amount, true) and (e.expires_at <= clock_timestamp()) is not true
    and p.project_id = e.project_id
  returning
    e.project_id, e.amount, e.commission_amount,
    round(e.fee_amount, scale(e.amount)), round(e.net_amount, scale(e.amount)),
    p.escrow_account_id, c.commission_account_id, c.fee_account_id
  into
    v_project_id, v_amount, v_commission, v_fee, v_net,
    v_escrow_account_id, v_commission_account_id, v_fee_account_id;

  if found then
    status := 'released';
    -- The lock that _hold_project takes, without that call where nobody is closing.
    if current_setting('transaction_isolation') <> 'read committed'
      or not pg_try_advisory_xact_lock_shared(hashint8extended(v_project_id, 0))
    then
      perform pgwallet._hold_project(v_project_id);
    end if;

    -- A fresh statement, which sees a closing that was faster.
    update pgwallet.account as a
    set balance = a.balance + v_net
    from pgwallet.project as p
    where a.account_id = v_project_id and p.project_id = v_project_id and p.status <> 'failed'
    returning a.balance into v_balance;
    if not found then
      perform pgwallet._refuse_status(v_project_id, 'failed', 'succeeded');
    end if;

    insert into pgwallet.posting (
      transaction_id, source_account_id, destination_account_id, amount, destination_balance
    )
    select v_transaction_id, v_escrow_account_id, d.account_id, d.amount, d.balance
    from (
      values
        (v_project_id, v_net, v_balance),
        (v_commission_account_id, v_commission, null),
        (v_fee_account_id, v_fee, null)
    ) as d (account_id, amount, balance)
    where d.amount > 0;
  else
    select r.project_id, r.amount, r.commission, r.fee, r.net, r.status
    into v_project_id, v_amount, v_commission, v_fee, v_net, status
    from pgwallet._release_part(v_transaction_id, p_escrow_id, p_amount) as r;
  end if;

  transaction_id := v_transaction_id;
  escrow_id := p_escrow_id;
  project_id := v_project_id;
  released_amount := v_amount;
  commission_amount := v_commission;
  fee_amount := v_fee;
  net_amount := v_net;
  replayed := false;
  return next;
end;
$function$;

comment on function pgwallet.release_escrow(bigint, numeric, text, jsonb, timestamptz) is
'Releases an escrow, or a part of it, to its project. '
'Raises: PW001, PW002, PW104, PW202, PW203, PW205, PW206.';
