-- Pays what was released to a project to the outside, from the shards that hold most of it. With a
-- key it is a plan of parts; the same call completes it, and returns the first answer again.
create or replace function pgwallet.payout(
  p_project_id bigint,
  p_amount numeric,
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (transaction_id bigint, balance numeric, replayed boolean)
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
  v_home integer := pgwallet_router._home_of_project(p_project_id);
  v_credit numeric;
begin
  perform pgwallet_router._begin_call();
  if (p_amount > 0 and p_amount < 1000000000000000) is not true then
    -- As the ledger refuses it.
    perform
    from pgwallet_remote.payout(v_home, p_project_id, p_amount, null, null, null) as r
    where r.error is null or pgwallet_router._raise(r.error);
  end if;
  perform
  from pgwallet_remote.check_call(v_home, p_idempotency_key, p_metadata, p_effective_at) as r
  where r.error is null or pgwallet_router._raise(r.error);
  v_request := format('payout(%s, %s)', p_project_id, trim_scale(p_amount));
  v_plan := pgwallet_router._plan(p_idempotency_key, v_request, null);

  if v_plan.plan_id is null then
    perform
    from pgwallet_remote.show_payable(v_home, p_project_id, p_amount) as r
    where r.error is null or pgwallet_router._raise(r.error);
    select
      array_agg(r.balance order by s.shard),
      array_agg(case s.shard when v_home then r.balance + r.credit_limit else r.balance end
        order by s.shard),
      max(case s.shard when v_home then r.credit_limit end)
    into v_balances, v_payable, v_credit
    from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
    cross join lateral pgwallet_remote.show_payable(s.shard, p_project_id, p_amount) as r
    where r.error is null or pgwallet_router._raise(r.error);
    if (select sum(b.payable) from unnest(v_payable) as b (payable)) < p_amount then
      perform pgwallet._refuse_funds(
        'project', p_project_id, (select sum(b.balance) from unnest(v_balances) as b (balance)),
        round(p_amount, scale(v_balances[1])), v_credit
      );
    end if;
    v_parts := pgwallet_router._split_amount(
      p_amount, v_payable, v_balances,
      jsonb_build_object(
        'do', 'payout', 'project_id', p_project_id, 'key', p_idempotency_key,
        'metadata', p_metadata, 'effective_at', p_effective_at
      )
    );
    if p_idempotency_key is null then
      if jsonb_array_length(v_parts) > 1 then
        perform pgwallet_router._refuse_keyless('the payout');
      end if;
      return query
      select r.transaction_id, r.balance + (v_parts -> 0 ->> 'elsewhere')::numeric, r.replayed
      from pgwallet_remote.payout(
        (v_parts -> 0 ->> 'shard')::integer, p_project_id, p_amount, null, p_metadata,
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
