-- Releases an escrow, or a part of it, to its project, less commission and fee.
--
-- Locks, in order: the idempotency key, the escrow, a share of the project, so that it does not
-- fail meanwhile, the project's account.
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
as $function$
declare
  v_request text;
  v_project_id bigint;
  v_project pgwallet.project;
  v_currency pgwallet.currency;
  v_transaction_id bigint;
  v_replayed boolean;
  v_status pgwallet.project_status;
  v_escrow pgwallet.escrow;
  v_left numeric;
  v_amount numeric;
  v_commission numeric;
  v_fee numeric;
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
      'release_escrow(%s, %s)', p_escrow_id, coalesce(trim_scale(p_amount)::text, 'null')
    );
  end if;

  insert into pgwallet.transaction as t (
    kind, escrow_id, idempotency_key, request, metadata, effective_at
  )
  values ('release', p_escrow_id, p_idempotency_key, v_request, p_metadata, p_effective_at)
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
    v_status := pgwallet._hold_project(v_project_id);
    if v_status = 'failed' then
      perform pgwallet._refuse_status(v_project_id, v_status, 'succeeded');
    end if;
    select p.* into v_project from pgwallet.project as p where p.project_id = v_project_id;
    if v_escrow.status = 'locked'
      and v_escrow.expires_at <= coalesce(v_project.closed_at, clock_timestamp())
    then
      perform pgwallet._refuse_expired(p_escrow_id, v_escrow.expires_at, v_project.closed_at);
    end if;
    v_left := v_escrow.amount - v_escrow.released_amount - v_escrow.refunded_amount;
    v_amount := round(coalesce(p_amount, v_left), v_currency.exponent);
    if v_escrow.status <> 'locked' or v_amount > v_left then
      perform pgwallet._refuse_settled(p_escrow_id, v_escrow.status, v_left, p_amount);
    end if;

    v_commission := pgwallet._apply_rate(
      v_amount, v_escrow.released_amount, v_escrow.commission_amount,
      v_project.commission_rate, v_currency.exponent
    );
    v_fee := least(
      v_amount - v_commission,
      pgwallet._apply_rate(
        v_amount, v_escrow.released_amount, v_escrow.fee_amount - v_project.fee_fixed,
        v_project.fee_rate, v_currency.exponent
      )
    );

    update pgwallet.escrow as e
    set
      released_amount = e.released_amount + v_amount,
      commission_amount = e.commission_amount + v_commission,
      fee_amount = e.fee_amount + v_fee,
      net_amount = e.net_amount + v_amount - v_commission - v_fee,
      status = pgwallet._escrow_status(e.amount, e.released_amount + v_amount, e.refunded_amount),
      settled_by = case when v_amount = v_left then v_transaction_id end
    where e.escrow_id = p_escrow_id;

    perform pgwallet._post_release(
      v_transaction_id, v_project_id, v_amount - v_commission - v_fee, v_commission, v_fee
    );
  end if;

  return query
  select
    v_transaction_id, e.escrow_id, e.project_id,
    round(sum(p.amount), v_currency.exponent),
    round(coalesce(sum(p.amount) filter (
      where p.destination_account_id = v_currency.commission_account_id
    ), 0), v_currency.exponent),
    round(coalesce(sum(p.amount) filter (
      where p.destination_account_id = v_currency.fee_account_id
    ), 0), v_currency.exponent),
    round(coalesce(sum(p.amount) filter (
      where p.destination_account_id = e.project_id
    ), 0), v_currency.exponent),
    e.status::text,
    v_replayed
  from pgwallet.escrow as e
  inner join pgwallet.posting as p on p.transaction_id = v_transaction_id
  where e.escrow_id = p_escrow_id
  group by e.escrow_id;
end;
$function$;

comment on function pgwallet.release_escrow(bigint, numeric, text, jsonb, timestamptz) is
'Releases an escrow, or a part of it, to its project. '
'Raises: PW001, PW002, PW104, PW202, PW203, PW205, PW206.';
