-- Refuses to wait for a process that waits for this one, itself or by way of others: the server
-- sees no deadlock where one side does not wait for a lock.
create or replace function pgwallet._check_deadlock(p_pid integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if exists (
    with recursive waited_for as (
      select p_pid as pid
      union
      select b.pid
      from waited_for as w
      cross join unnest(pg_blocking_pids(w.pid)) as b (pid)
    )
    select from waited_for as w where w.pid = pg_backend_pid()
  ) then
    raise exception using
      errcode = '40P01',
      message = 'deadlock detected',
      detail = format('Process %s waits for a lock that this transaction holds.', p_pid),
      hint = 'Commit before history is read on.';
  end if;
end;
$function$;
