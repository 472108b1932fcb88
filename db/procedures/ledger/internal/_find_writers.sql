-- The open transactions of this database that have an xid, which whoever writes has: also
-- prepared ones, which no process has any more. The names are for people to read.
--
-- A transaction holds the lock on its xid from before it can write until all can see what it wrote.
-- The sessions are looked at first: a process that comes to have the number of another is not it.
create or replace function pgwallet._find_writers()
returns table (xid xid, pid integer, name text)
language plpgsql
rows 10
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_elsewhere integer[];
begin
  perform pg_stat_clear_snapshot();
  select array_agg(a.pid) into v_elsewhere
  from pg_stat_activity as a
  where a.datid <> (select d.oid from pg_database as d where d.datname = current_database());

  return query
  select
    l.transactionid, l.pid,
    case
      when p.gid is not null
        then format('transaction %s, which %s prepared as %L', l.transactionid, p.owner, p.gid)
      else
        format('transaction %s of process %s', l.transactionid, l.pid)
        || coalesce(', role ' || a.usename, '')
        || coalesce(', application ' || nullif(a.application_name, ''), '')
    end
  from pg_locks as l
  left join pg_prepared_xacts as p on l.pid is null and p.transaction = l.transactionid
  left join pg_stat_activity as a on a.pid = l.pid
  where l.locktype = 'transactionid' and l.mode = 'ExclusiveLock' and l.granted
    and (l.pid is null or l.pid <> all (coalesce(v_elsewhere, '{}')))
    and (p.database is null or p.database = current_database());
end;
$function$;
