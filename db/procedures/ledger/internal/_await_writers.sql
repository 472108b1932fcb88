-- Waits until every transaction has ended that had an xid before now, those of other databases left
-- out. Whatever ids they had drawn is decided then, and the caller's next statement sees it.
--
-- It draws an xid to tell earlier ones, so they who come here wait for each other in that order. A
-- caller who had one before could wait for ever for one who waits for him: that is refused.
create or replace function pgwallet._await_writers()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  -- From here on it is worth to look who they are.
  c_soon constant interval := interval '50 milliseconds';
  c_long constant interval := interval '1 second';
  v_xid xid8;
  v_since timestamptz := clock_timestamp();
  v_pause double precision := 0.0005;
  v_named xid;
  v_writer record;
begin
  perform pgwallet._check_decided();
  if pg_current_xact_id_if_assigned() is not null then
    raise exception using
      errcode = '25001',
      message = 'history is read on before a transaction writes, and once in it',
      detail = 'Waiting for others with a transaction id of its own, it could wait for ever.',
      hint = 'Commit first, and read on in a transaction of its own.';
  end if;

  v_xid := pg_current_xact_id();
  while pg_snapshot_xmin(pg_current_snapshot()) < v_xid loop
    if clock_timestamp() - v_since > c_soon then
      -- Who has a later xid need not be waited for, nor has anybody in another database.
      select w.* into v_writer
      from pgwallet._find_writers() as w
      where age(w.xid) > age(v_xid::xid)
      order by age(w.xid) desc
      limit 1;
      exit when not found;
      if clock_timestamp() - v_since > c_long then
        if v_writer.xid is distinct from v_named then
          raise notice using message = format('waiting for %s', v_writer.name);
          v_named := v_writer.xid;
        end if;
        perform pgwallet._check_deadlock(v_writer.pid);
      end if;
    end if;
    perform pg_sleep(v_pause);
    v_pause := least(v_pause * 2, 0.1);
  end loop;
end;
$function$;
