-- Every posting of one shard once, in the order of ids. There is no order between shards, so each
-- has a feed of its own: that of p_shard, else that of the last posting seen.
create or replace function pgwallet.read_feed(
  p_after_posting_id bigint default 0,
  p_limit integer default 1000,
  p_shard integer default null
)
returns table (
  posting_id bigint, transaction_id bigint, kind text, source_account_id bigint,
  destination_account_id bigint, amount numeric, currency text, escrow_id bigint,
  idempotency_key text, metadata jsonb, created_at timestamptz, effective_at timestamptz
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_shard integer := coalesce(p_shard, pgwallet_router._shard_of(p_after_posting_id));
begin
  if (v_shard between 0 and pgwallet_router._shard_count() - 1) is not true then
    raise exception using
      errcode = 'PW002',
      message = format('shard %s has no feed', coalesce(v_shard::text, 'null')),
      detail = format(
        'Each shard has a feed of its own; they count from 0 to %s.',
        pgwallet_router._shard_count() - 1
      ),
      hint = 'Pass p_shard, or the id of the last posting that you saw.';
  end if;
  return query
  select
    r.posting_id, r.transaction_id, r.kind, r.source_account_id, r.destination_account_id,
    r.amount, r.currency, r.escrow_id, r.idempotency_key, r.metadata, r.created_at,
    r.effective_at
  from pgwallet_remote.read_feed(v_shard, p_after_posting_id, p_limit) as r
  where r.error is null or pgwallet_router._raise(r.error);
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
