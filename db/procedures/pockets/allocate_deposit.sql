-- Splits an amount that is in a wallet over its pockets by their percentages.
--
-- Locks, in order: the idempotency key, the wallet.
--
-- Plans are made once: made anew for each call, they cost more than the call.
create or replace function pgwallet.allocate_deposit(
  p_wallet_id bigint,
  p_amount numeric,
  p_rounding text default 'half_up',
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (
  transaction_id bigint, pocket_id bigint, name text, allocation_percentage numeric,
  amount numeric, balance numeric, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $function$
declare
  v_request text;
  v_transaction_id bigint;
  v_replayed boolean;
begin
  if (p_amount > 0 and p_amount < 1000000000000000) is not true then
    perform pgwallet._refuse_amount(p_amount);
  end if;
  if p_idempotency_key is not null or p_effective_at is not null then
    perform pgwallet._check_call(p_idempotency_key, p_effective_at);
  end if;
  perform pgwallet._check_rounding(p_rounding);
  perform pgwallet._currency_of('wallet', p_wallet_id, p_amount);
  if p_idempotency_key is not null then
    v_request := format(
      'allocate_deposit(%s, %s, %s)', p_wallet_id, trim_scale(p_amount), p_rounding
    );
  end if;

  insert into pgwallet.transaction as t (
    kind, idempotency_key, request, metadata, effective_at
  )
  values ('allocation', p_idempotency_key, v_request, p_metadata, p_effective_at)
  on conflict do nothing
  returning t.transaction_id into v_transaction_id;
  v_replayed := not found;
  if v_replayed then
    v_transaction_id := pgwallet._replay(p_idempotency_key, v_request);
  else
    perform pgwallet._allocate(
      array[p_wallet_id], array[p_amount], array[v_transaction_id], p_rounding
    );
  end if;

  return query
  select
    p.transaction_id, k.pocket_id, k.name, k.allocation_percentage,
    p.amount, p.destination_balance, v_replayed
  from pgwallet.posting as p
  inner join pgwallet.pocket as k on k.pocket_id = p.destination_account_id
  where p.transaction_id = v_transaction_id
  order by p.posting_id;
end;
$function$;

comment on function pgwallet.allocate_deposit(bigint, numeric, text, text, jsonb, timestamptz) is
'Splits an amount in a wallet over its pockets. Raises: PW001, PW002, PW101, PW201, PW203.';
