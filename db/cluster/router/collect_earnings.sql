-- Pays what the platform earned to the outside, from the shards that hold most of it. With a key it
-- is a plan of parts; the same call completes it, and returns the first answer again.
create or replace function pgwallet.collect_earnings(
  p_currency text,
  p_account text,
  p_amount numeric,
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (transaction_id bigint, currency text, balance numeric, replayed boolean)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_plan record;
  v_request text;
  v_balances numeric[];
  v_payable numeric[];
  v_parts jsonb;
  v_home integer := pgwallet_router._home_of(p_currency);
begin
  perform pgwallet_router._begin_call();
  perform
  from pgwallet_remote.check_collection(
    v_home, p_currency, p_account, p_amount, p_idempotency_key, p_metadata, p_effective_at
  ) as r
  where r.error is null or pgwallet_router._raise(r.error);
  v_request := format('collect_earnings(%s, %s, %s)', p_currency, p_account, trim_scale(p_amount));
  v_plan := pgwallet_router._plan(p_idempotency_key, v_request, null);

  if v_plan.plan_id is null then
    select array_agg(r.balance order by s.shard)
    into v_balances
    from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
    cross join lateral pgwallet_remote.show_earnings(s.shard, p_currency, p_account) as r
    where r.error is null or pgwallet_router._raise(r.error);
    -- To refund a release may have taken a shard below 0: what another has covers that.
    select array_agg(greatest(b.balance, 0) order by b.place) into v_payable
    from unnest(v_balances) with ordinality as b (balance, place);
    if (select sum(b.balance) from unnest(v_balances) as b (balance)) < p_amount then
      perform pgwallet._refuse_funds(
        p_account, (
          select r.account_id
          from pgwallet_remote.show_earnings(v_home, p_currency, p_account) as r
          where r.error is null or pgwallet_router._raise(r.error)
        ),
        (select sum(b.balance) from unnest(v_balances) as b (balance)),
        round(p_amount, scale(v_balances[1]))
      );
    end if;
    v_parts := pgwallet_router._split_amount(
      p_amount, v_payable, v_balances,
      jsonb_build_object(
        'do', 'collect', 'currency', p_currency, 'account', p_account,
        'key', p_idempotency_key, 'metadata', p_metadata, 'effective_at', p_effective_at
      )
    );
    if p_idempotency_key is null then
      if jsonb_array_length(v_parts) > 1 then
        perform pgwallet_router._refuse_keyless('the collection');
      end if;
      return query
      select
        r.transaction_id, r.currency, r.balance + (v_parts -> 0 ->> 'elsewhere')::numeric,
        r.replayed
      from pgwallet_remote.collect_earnings(
        (v_parts -> 0 ->> 'shard')::integer, p_currency, p_account, p_amount, null, p_metadata,
        p_effective_at
      ) as r
      where r.error is null or pgwallet_router._raise(r.error);
      return;
    end if;
    v_plan := pgwallet_router._plan(p_idempotency_key, v_request, v_parts);
  end if;

  replayed := v_plan.state = 'done';
  if not replayed then
    v_plan.answers := pgwallet_router._run_plan(v_plan.plan_id, v_plan.parts);
  end if;
  transaction_id := (v_plan.answers -> 0 ->> 'transaction_id')::bigint;
  currency := p_currency;
  balance := (v_plan.parts -> 0 ->> 'elsewhere')::numeric + (
    select sum((a.answer ->> 'balance')::numeric)
    from jsonb_array_elements(v_plan.answers) as a (answer)
  );
  return next;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
