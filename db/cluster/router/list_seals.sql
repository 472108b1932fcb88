-- Seals with their digests, shard after shard: an id of a seal says its shard here.
create or replace function pgwallet.list_seals(
  p_after_seal_id bigint default 0,
  p_limit integer default 100,
  p_newest_first boolean default false
)
returns table (
  seal_id bigint, sealed_at timestamptz, transaction_id bigint, posting_id bigint, event_id bigint,
  digest text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_newest_first boolean := coalesce(p_newest_first, false);
  v_shard integer;
  v_left integer := p_limit;
  v_found integer;
begin
  for v_shard in
    select s.shard from pgwallet_router._shards_from(p_after_seal_id, v_newest_first) as s (shard)
  loop
    return query
    select
      pgwallet_router._seal_id(v_shard, r.seal_id), r.sealed_at, r.transaction_id, r.posting_id,
      r.event_id, r.digest
    from pgwallet_remote.list_seals(
      v_shard,
      case
        when pgwallet_router._shard_of(p_after_seal_id) = v_shard
          then pgwallet_router._seal_of_shard(p_after_seal_id)
        else 0
      end,
      v_left, p_newest_first
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
