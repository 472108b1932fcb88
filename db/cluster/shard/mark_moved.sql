-- Ends this database's time as a shard: from now on it refuses each change, whoever makes it. In
-- the transaction that calls it nothing may be on its way here any more.
--
-- Locks: all tables of the ledger and of the shard, before it changes the identity.
create or replace function pgwallet_shard.mark_moved()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_table regclass;
begin
  update pgwallet_shard.identity as i
  set moved_at = clock_timestamp();

  for v_table in
    select c.oid::regclass
    from pg_class as c
    where c.relnamespace in ('pgwallet'::regnamespace, 'pgwallet_shard'::regnamespace)
      and c.relkind = 'r'
    order by c.oid
  loop
    -- Also a session that logical replication runs in, or one that has set itself to be a replica.
    execute format(
      'create trigger refuse_moved before insert or update or delete or truncate on %s '
      'for each statement execute function pgwallet_shard._refuse_moved()',
      v_table
    );
    execute format('alter table %s enable always trigger refuse_moved', v_table);
  end loop;
end;
$function$;
