-- check_ledger, and an event on each shard that it looked at, which says that it was checked.
create or replace function pgwallet.record_check(
  p_since_transaction_id bigint default 0,
  p_since_seal_id bigint default null
)
returns table (invariant integer, subject text, detail text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet_router._begin_call();
  return query
  select c.invariant, c.subject, c.detail
  from (
    select s.shard, r.invariant, r.subject, format('On shard %s: %s', s.shard, r.detail) as detail
    from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
    cross join lateral pgwallet_remote.record_check(
      s.shard, p_since_transaction_id, pgwallet_router._seal_of_shard(p_since_seal_id)
    ) as r
    where s.shard = coalesce(
        pgwallet_router._shard_of(p_since_transaction_id),
        pgwallet_router._shard_of(p_since_seal_id), s.shard
      )
      and (r.error is null or pgwallet_router._raise(r.error))
  ) as c
  order by c.invariant, c.shard;

  if (p_since_transaction_id > 0 or p_since_seal_id > 0) is not true then
    return query
    select d.invariant, d.subject, d.detail
    from pgwallet_router._find_differences() as d;
  end if;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
