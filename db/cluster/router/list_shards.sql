-- The shards and where they are, as connection strings without user and password. Whoever may use
-- this schema may call it: pg_foreign_server tells everybody the same. One that was adopted was a
-- ledger before there was a cluster: ids below all ranges are of there.
create or replace function pgwallet.list_shards()
returns table (shard integer, place text, is_adopted boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select
    substring(o.said from '^p([0-9]+)=')::integer, substring(o.said from '^p[0-9]+=(.*)$'),
    starts_with(o.said, 'p0=') and pgwallet_router._has_adopted()
  from pg_foreign_server as s
  cross join lateral unnest(s.srvoptions) as o (said)
  where s.srvname = 'pgwallet' and o.said ~ '^p[0-9]+='
  order by 1;
end;
$function$;

comment on function pgwallet.list_shards() is
'The shards of the cluster and where they are, as connection strings without user and password.';
