-- Seals each shard once, and returns a row for each where anything was new. All say whether any of
-- them has more.
create or replace function pgwallet.seal_ledger(p_limit integer default 100000)
returns table (
  seal_id bigint, sealed_at timestamptz, transaction_id bigint, posting_id bigint, event_id bigint,
  digest text, has_more boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet_router._begin_call();
  return query
  select
    pgwallet_router._seal_id(s.shard, r.seal_id), r.sealed_at, r.transaction_id, r.posting_id,
    r.event_id, r.digest, bool_or(r.has_more) over ()
  from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
  cross join lateral pgwallet_remote.seal_ledger(s.shard, p_limit) as r
  where r.error is null or pgwallet_router._raise(r.error);
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
