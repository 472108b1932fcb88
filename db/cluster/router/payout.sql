-- Pays what was released to a project to the outside, from the shards that hold most of it.
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
  v_home integer := pgwallet_router._home_of_project(p_project_id);
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

  return query
  select t.transaction_id, t.balance, t.replayed
  from pgwallet_router._take(
    'the payout', format('payout(%s, %s)', p_project_id, trim_scale(p_amount)),
    jsonb_build_object(
      'do', 'payout', 'project_id', p_project_id, 'key', p_idempotency_key,
      'metadata', p_metadata, 'effective_at', p_effective_at
    ),
    p_amount
  ) as t;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
