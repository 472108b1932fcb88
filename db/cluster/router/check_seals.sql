-- Computes the seals of all shards again, and names of each the first that does not fit. After or
-- up to a seal it is that one's shard which is checked.
create or replace function pgwallet.check_seals(
  p_since_seal_id bigint default 0,
  p_until_seal_id bigint default null
)
returns table (seal_id bigint, covers text, detail text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_shard integer := coalesce(
    pgwallet_router._shard_of(p_since_seal_id), pgwallet_router._shard_of(p_until_seal_id)
  );
begin
  return query
  select pgwallet_router._seal_id(s.shard, r.seal_id), r.covers, r.detail
  from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
  cross join lateral pgwallet_remote.check_seals(
    s.shard,
    pgwallet_router._seal_of_shard(greatest(p_since_seal_id, 0)),
    pgwallet_router._seal_of_shard(p_until_seal_id)
  ) as r
  where s.shard = coalesce(v_shard, s.shard)
    and (r.error is null or pgwallet_router._raise(r.error));
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
