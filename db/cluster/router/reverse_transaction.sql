-- Takes back a transaction on its shard; one that is a part of a plan, as of a payout in parts,
-- with all other parts, which is a plan of its own and needs a key.
create or replace function pgwallet.reverse_transaction(
  p_transaction_id bigint,
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (
  transaction_id bigint, reversed_transaction_id bigint, kind text, amount numeric,
  currency text, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_shard integer := coalesce(pgwallet_router._shard_of(p_transaction_id), 0);
  v_request text := format('reverse_transaction(%s)', p_transaction_id);
  v_reversed record;
  v_plan record;
  v_parts jsonb;
begin
  perform pgwallet_router._begin_call();
  select d.idempotency_key, d.parts, d.state, d.answers into v_reversed
  from pgwallet_remote.find_part(v_shard, p_transaction_id) as r
  cross join lateral pgwallet_remote.show_plan(
    pgwallet_router._shard_of(r.plan_id), r.plan_id
  ) as d
  where (r.error is null or pgwallet_router._raise(r.error))
    and (d.error is null or pgwallet_router._raise(d.error));
  if not found or jsonb_array_length(v_reversed.parts) = 1 then
    return query
    select
      r.transaction_id, r.reversed_transaction_id, r.kind, r.amount, r.currency, r.replayed
    from pgwallet_remote.reverse_transaction(
      v_shard, p_transaction_id, p_idempotency_key, p_metadata, p_effective_at
    ) as r
    where r.error is null or pgwallet_router._raise(r.error);
    return;
  end if;

  perform
  from pgwallet_remote.check_call(v_shard, p_idempotency_key, p_metadata, p_effective_at) as r
  where r.error is null or pgwallet_router._raise(r.error);
  if v_reversed.state <> 'done' then
    raise exception using
      errcode = '55000',
      message = format('transaction %s is a part of a call that is not done', p_transaction_id),
      detail = format('Its idempotency key is %L.', v_reversed.idempotency_key),
      hint = 'Repeat that call first, or have pgwallet.complete_plans do it.';
  end if;
  if p_idempotency_key is null then
    perform pgwallet_router._refuse_keyless('the reversal');
  end if;
  -- The last part first: what another wallet received may be gone, what it was sent from is not.
  select
    jsonb_agg(
      jsonb_build_object(
        'shard', e.part -> 'shard', 'do', 'reverse',
        'transaction_id', v_reversed.answers -> (e.place - 1)::integer -> 'transaction_id',
        'key', p_idempotency_key, 'metadata', p_metadata, 'effective_at', p_effective_at
      )
      order by e.place desc
    )
  into v_parts
  from jsonb_array_elements(v_reversed.parts) with ordinality as e (part, place);
  v_plan := pgwallet_router._plan(p_idempotency_key, v_request, null);
  if v_plan.plan_id is null then
    perform
    from jsonb_array_elements(v_parts) as e (part)
    cross join lateral pgwallet_remote.check_reversal(
      (e.part ->> 'shard')::integer, (e.part ->> 'transaction_id')::bigint
    ) as r
    where r.error is null or pgwallet_router._raise(r.error);
    v_plan := pgwallet_router._plan(p_idempotency_key, v_request, v_parts);
  end if;

  replayed := v_plan.state = 'done';
  if not replayed then
    select r.answers, r.replayed into v_plan.answers, replayed
    from pgwallet_router._run_plan(v_plan.plan_id, v_plan.parts) as r;
  end if;
  reversed_transaction_id := p_transaction_id;
  -- Of a transfer each part moved the whole.
  select
    max((a.answer ->> 'transaction_id')::bigint) filter (
      where (a.answer ->> 'reversed_transaction_id')::bigint = p_transaction_id
    ),
    min(a.answer ->> 'kind'), min(a.answer ->> 'currency'),
    case min(a.answer ->> 'kind')
      when 'transfer' then max((a.answer ->> 'amount')::numeric)
      else sum((a.answer ->> 'amount')::numeric)
    end
  into transaction_id, kind, currency, amount
  from jsonb_array_elements(v_plan.answers) as a (answer);
  return next;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
