-- Pays what the platform earned to the outside, from the shards that hold most of it.
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
begin
  perform pgwallet_router._begin_call();
  perform
  from pgwallet_remote.check_collection(
    pgwallet_router._home_of(p_currency), p_currency, p_account, p_amount, p_idempotency_key,
    p_metadata, p_effective_at
  ) as r
  where r.error is null or pgwallet_router._raise(r.error);

  return query
  select t.transaction_id, p_currency, t.balance, t.replayed
  from pgwallet_router._take(
    'the collection',
    format('collect_earnings(%s, %s, %s)', p_currency, p_account, trim_scale(p_amount)),
    jsonb_build_object(
      'do', 'collect', 'currency', p_currency, 'account', p_account, 'key', p_idempotency_key,
      'metadata', p_metadata, 'effective_at', p_effective_at
    ),
    p_amount
  ) as t;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
