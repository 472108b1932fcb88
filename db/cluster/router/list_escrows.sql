-- The escrows of a wallet, from its shard; of a project or of all, shard after shard, which is the
-- order of their ids.
create or replace function pgwallet.list_escrows(
  p_wallet_id bigint default null,
  p_project_id bigint default null,
  p_status text default null,
  p_after_escrow_id bigint default 0,
  p_limit integer default 100
)
returns table (
  escrow_id bigint, wallet_id bigint, project_id bigint, reference text, status text,
  expired boolean, created_at timestamptz, expires_at timestamptz, currency text,
  amount numeric, locked_amount numeric, released_amount numeric, refunded_amount numeric,
  commission_amount numeric, fee_amount numeric, net_amount numeric, settled_by bigint
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_after_escrow_id bigint := coalesce(p_after_escrow_id, 0);
  v_shard integer;
  v_left integer := p_limit;
  v_found integer;
begin
  for v_shard in
    select s.shard
    from pgwallet_router._shards_from(v_after_escrow_id) as s (shard)
    where p_wallet_id is null or s.shard = coalesce(pgwallet_router._shard_of(p_wallet_id), 0)
    union all
    -- A wallet of an earlier shard has no more; that one says so, or what is wrong.
    select coalesce(pgwallet_router._shard_of(p_wallet_id), 0)
    where p_wallet_id is not null
      and coalesce(pgwallet_router._shard_of(p_wallet_id), 0)
      < pgwallet_router._shard_of(v_after_escrow_id)
  loop
    return query
    select
      r.escrow_id, r.wallet_id, r.project_id, r.reference, r.status, r.expired,
      r.created_at, r.expires_at, r.currency, r.amount, r.locked_amount,
      r.released_amount, r.refunded_amount, r.commission_amount, r.fee_amount,
      r.net_amount, r.settled_by
    from pgwallet_remote.list_escrows(
      v_shard, p_wallet_id, p_project_id, p_status, v_after_escrow_id, v_left
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
