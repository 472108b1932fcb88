-- Looks for violations of the invariants on all shards, and for what they have to agree on and do
-- not, which is invariant 8. After a transaction it looks at that one's shard alone.
create or replace function pgwallet.check_ledger(p_since_transaction_id bigint default 0)
returns table (invariant integer, subject text, detail text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select c.invariant, c.subject, c.detail
  from (
    select s.shard, r.invariant, r.subject, format('On shard %s: %s', s.shard, r.detail) as detail
    from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
    cross join lateral pgwallet_remote.check_ledger(s.shard, p_since_transaction_id) as r
    where s.shard = coalesce(pgwallet_router._shard_of(p_since_transaction_id), s.shard)
      and (r.error is null or pgwallet_router._raise(r.error))
  ) as c
  order by c.invariant, c.shard;

  if (p_since_transaction_id > 0) is not true then
    return query
    select d.invariant, d.subject, d.detail
    from pgwallet_router._find_differences() as d;
  end if;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
