-- Which shard this database is, and which database of which server. Routers ask, to know that they
-- have reached the right one. Servers that were copied have one identifier, and each its own start.
create or replace function pgwallet_shard.show_identity()
returns table (
  cluster text, shard integer, shard_count integer, moved_at timestamptz, place text
)
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
  select
    i.cluster, i.shard, i.shard_count, i.moved_at,
    (
      select format(
        '%s/%s/%s', s.system_identifier, d.oid, extract(epoch from pg_postmaster_start_time())
      )
      from pg_control_system() as s
      cross join pg_database as d
      where d.datname = current_database()
    )
  from pgwallet_shard.identity as i
$function$;
