-- What moved in each currency since the ledger began, on all shards together.
create or replace function pgwallet.currency_metrics()
returns table (
  currency text,
  deposited_amount numeric, withdrawn_amount numeric, pledged_amount numeric,
  released_amount numeric, refunded_amount numeric, commission_amount numeric, fee_amount numeric,
  paid_out_amount numeric, collected_amount numeric,
  wallet_amount numeric, locked_amount numeric, disputed_amount numeric, ready_amount numeric,
  earned_amount numeric,
  disputed_count bigint, expired_count bigint, unsettled_count bigint,
  oldest_expired_at timestamptz, oldest_locked_at timestamptz
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select
    r.currency,
    sum(r.deposited_amount),
    sum(r.withdrawn_amount),
    sum(r.pledged_amount),
    sum(r.released_amount),
    sum(r.refunded_amount),
    sum(r.commission_amount),
    sum(r.fee_amount),
    sum(r.paid_out_amount),
    sum(r.collected_amount),
    sum(r.wallet_amount),
    sum(r.locked_amount),
    sum(r.disputed_amount),
    sum(r.ready_amount),
    sum(r.earned_amount),
    sum(r.disputed_count)::bigint, sum(r.expired_count)::bigint, sum(r.unsettled_count)::bigint,
    min(r.oldest_expired_at), min(r.oldest_locked_at)
  from pgwallet_remote.currency_metrics_all() as r
  where r.error is null or pgwallet_router._raise(r.error)
  group by r.currency
  order by r.currency;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
