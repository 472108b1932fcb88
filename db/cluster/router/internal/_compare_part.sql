-- What differs between shards of what list_common tells.
create or replace function pgwallet_router._compare_part(p_part integer)
returns table (subject text, detail text, part integer)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  with said as (
    select r.subject, r.state, r.part, s.shard
    from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
    cross join lateral pgwallet_remote.list_common(s.shard, p_part) as r
    where r.error is null or pgwallet_router._raise(r.error)
  ),

  version as (
    select
      d.subject, d.state, max(d.part) as part, min(d.shard) as first_shard, count(*) as number,
      string_agg(d.shard::text, ', ' order by d.shard) as shards
    from said as d
    group by d.subject, d.state
  )

  select
    v.subject,
    string_agg(format('Shard %s: %s.', v.shards, v.state), ' ' order by v.first_shard)
    || case
      when sum(v.number) < pgwallet_router._shard_count() then ' On others it is not there.'
      else ''
    end,
    max(v.part)
  from version as v
  group by v.subject
  having count(*) > 1 or sum(v.number) < pgwallet_router._shard_count()
  order by min(v.first_shard), v.subject;
end;
$function$;
