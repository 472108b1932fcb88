-- Moves money between two wallets or pockets of one shard there, between wallets of two shards
-- through an account in transit: a plan of two parts under the key, which it needs. The same call
-- completes it.
create or replace function pgwallet.transfer(
  p_from_account_id bigint,
  p_to_account_id bigint,
  p_amount numeric,
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (
  transaction_id bigint, from_balance numeric, to_balance numeric, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_from_shard integer := pgwallet_router._shard_of(p_from_account_id);
  v_to_shard integer := pgwallet_router._shard_of(p_to_account_id);
  v_from record;
  v_to record;
  v_plan record;
  v_is_spread boolean := coalesce(
    v_from_shard <> v_to_shard and p_amount > 0 and p_amount < 1000000000000000, false
  );
  v_request text := format(
    'transfer(%s, %s, %s)', p_from_account_id, p_to_account_id, trim_scale(p_amount)
  );
begin
  perform pgwallet_router._begin_call();
  if v_is_spread then
    perform
    from pgwallet_remote.check_call(v_from_shard, p_idempotency_key, p_metadata, p_effective_at)
      as r
    where r.error is null or pgwallet_router._raise(r.error);
    v_plan := pgwallet_router._plan(p_idempotency_key, v_request, null);
    if v_plan.plan_id is null then
      select r.* into v_from
      from pgwallet_remote.show_side(v_from_shard, p_from_account_id, p_amount) as r
      where r.error is null or pgwallet_router._raise(r.error);
      select r.* into v_to
      from pgwallet_remote.show_side(v_to_shard, p_to_account_id, null) as r
      where r.error is null or pgwallet_router._raise(r.error);
      v_is_spread := coalesce(
        v_from.kind in ('wallet', 'pocket') and v_to.kind in ('wallet', 'pocket'), false
      );
    end if;
  end if;
  -- The ledger does the rest, or says why it is no transfer.
  if not v_is_spread then
    return query
    select r.transaction_id, r.from_balance, r.to_balance, r.replayed
    from pgwallet_remote.transfer(
      coalesce(v_from_shard, 0), p_from_account_id, p_to_account_id, p_amount, p_idempotency_key,
      p_metadata, p_effective_at
    ) as r
    where r.error is null or pgwallet_router._raise(r.error);
    return;
  end if;

  if v_plan.plan_id is null then
    perform pgwallet_router._check_sides(
      p_from_account_id, v_from.kind, v_from.currency, p_to_account_id, v_to.kind, v_to.currency
    );
    if p_idempotency_key is null then
      perform pgwallet_router._refuse_keyless('the transfer');
    end if;
    v_plan := pgwallet_router._plan(
      p_idempotency_key, v_request,
      jsonb_build_array(
        jsonb_build_object(
          'shard', v_from_shard, 'do', 'send', 'wallet_id', p_from_account_id,
          'amount', p_amount, 'key', p_idempotency_key, 'metadata', p_metadata,
          'effective_at', p_effective_at
        ),
        jsonb_build_object(
          'shard', v_to_shard, 'do', 'receive', 'wallet_id', p_to_account_id,
          'amount', p_amount, 'key', p_idempotency_key, 'metadata', p_metadata,
          'effective_at', p_effective_at
        )
      )
    );
  end if;
  replayed := v_plan.state = 'done';
  if not replayed then
    select r.answers, r.replayed into v_plan.answers, replayed
    from pgwallet_router._run_plan(v_plan.plan_id, v_plan.parts) as r;
  end if;
  transaction_id := (v_plan.answers -> 0 ->> 'transaction_id')::bigint;
  from_balance := (v_plan.answers -> 0 ->> 'balance')::numeric;
  to_balance := (v_plan.answers -> 1 ->> 'balance')::numeric;
  return next;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
