-- The postings of an account. One that is on all shards, as that of a project, has them shard after
-- shard, by their ids, and no balance after each: there is no order between shards.
create or replace function pgwallet.statement(
  p_account_id bigint,
  p_after_posting_id bigint default 0,
  p_limit integer default 100,
  p_newest_first boolean default false,
  p_from timestamptz default null,
  p_until timestamptz default null,
  p_by text default 'recorded'
)
returns table (
  posting_id bigint, transaction_id bigint, kind text, amount numeric, balance numeric,
  counterpart_id bigint, escrow_id bigint, created_at timestamptz, effective_at timestamptz,
  metadata jsonb, reversed_transaction_id bigint
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_shard integer := pgwallet_router._shard_of_account(p_account_id);
  v_newest_first boolean := coalesce(p_newest_first, false);
  v_left integer := p_limit;
  v_found integer;
begin
  if v_shard is not null then
    return query
    select
      r.posting_id, r.transaction_id, r.kind, r.amount, r.balance, r.counterpart_id, r.escrow_id,
      r.created_at, r.effective_at, r.metadata, r.reversed_transaction_id
    from pgwallet_remote.statement(
      v_shard, p_account_id, p_after_posting_id, p_limit, p_newest_first, p_from, p_until, p_by
    ) as r
    where r.error is null or pgwallet_router._raise(r.error);
    return;
  end if;

  for v_shard in
    select s.shard
    from pgwallet_router._shards_from(p_after_posting_id, v_newest_first) as s (shard)
  loop
    return query
    select
      r.posting_id, r.transaction_id, r.kind, r.amount, null::numeric, r.counterpart_id,
      r.escrow_id, r.created_at, r.effective_at, r.metadata, r.reversed_transaction_id
    from pgwallet_remote.statement(
      v_shard, p_account_id,
      -- What is of no shard each is asked about, as one database would be.
      case coalesce(pgwallet_router._shard_of(p_after_posting_id), v_shard)
        when v_shard then p_after_posting_id
      end,
      v_left, p_newest_first, p_from, p_until, p_by
    ) as r
    where r.error is null or pgwallet_router._raise(r.error);
    get diagnostics v_found = row_count;
    v_left := v_left - v_found;
    exit when v_left <= 0;
  end loop;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
