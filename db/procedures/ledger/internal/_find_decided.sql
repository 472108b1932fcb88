-- Finds up to which posting id all is decided: none comes any more, and the next statement sees
-- them all. Null where that cannot be told, as a notice says: on a standby, above read committed,
-- and where somebody who has posted does not end within a second.
--
-- Who has drawn such an id holds a lock on the table. Prepared ones are waited for in any case:
-- they are no longer the transactions that they were. _await_writers does it for ids of any kind.
create or replace function pgwallet._find_decided()
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  c_patience constant interval := interval '1 second';
  v_posting_id bigint;
  v_since timestamptz := clock_timestamp();
  v_pause double precision := 0.0005;
  v_posting text[];
  v_pids integer[];
begin
  if pg_is_in_recovery()
    or current_setting('transaction_isolation') not in ('read committed', 'read uncommitted')
  then
    raise notice using
      message = format(
        'what came since the last seal is not told %s',
        case
          when pg_is_in_recovery() then 'on a standby'
          else 'at the level ' || current_setting('transaction_isolation')
        end
      );
    return null;
  end if;
  perform pgwallet._warn_of_late_sequence();
  select s.last_value into v_posting_id from pgwallet.posting_id_seq as s;
  loop
    select array_agg(l.virtualtransaction), array_agg(l.pid) into v_posting, v_pids
    from pg_locks as l
    where l.locktype = 'relation' and l.relation = 'pgwallet.posting'::regclass
      and l.database = (select d.oid from pg_database as d where d.datname = current_database())
      and l.granted and l.pid is distinct from pg_backend_pid()
      and l.mode not in ('AccessShareLock', 'RowShareLock', 'ShareLock', 'ShareUpdateExclusiveLock')
      and (v_posting is null or l.virtualtransaction = any (v_posting) or l.pid is null);
    exit when v_posting is null;
    if clock_timestamp() - v_since > c_patience then
      raise notice using
        message = format(
          'what came since the last seal is not told yet: %s may still post before it',
          coalesce('process ' || v_pids[1], 'a prepared transaction')
        );
      return null;
    end if;
    perform pg_sleep(v_pause);
    v_pause := least(v_pause * 2, 0.1);
  end loop;
  return v_posting_id;
end;
$function$;
