-- Refuses a call that its transaction could not take back: what a call does, its shard commits at
-- once. One alone is allowed, and any number where the session says that it knows.
--
-- While a shard moves to another server it waits, if it is for that one (p_shard) or for several;
-- what it finds then is where the shard is now.
--
-- After a rollback to a savepoint the mark of the first call is gone.
create or replace function pgwallet_router._begin_call(p_shard integer default null)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_called text;
  v_gate bigint;
begin
  -- A standby of a router routes too.
  if current_setting('transaction_read_only')::boolean and not pg_is_in_recovery() then
    raise exception using
      errcode = '25006',
      message = 'cannot move money in a read-only transaction',
      hint = 'Call it in a transaction that may write.';
  end if;

  if current_setting('pgwallet.separate_commits', true) is distinct from 'on' then
    v_called := current_setting('pgwallet.called', true);
    if v_called = 'on' or pg_current_xact_id_if_assigned() is not null then
      raise exception using
        errcode = 'PW401',
        message = 'this transaction has already written, and a call through the router is no part of it',
        detail = 'Each call commits on its shard at once; a rollback here would not undo it.',
        hint = 'Commit first, or connect to the shard of the wallet for a transaction of several calls; '
          'or set pgwallet.separate_commits = on.';
    end if;
    v_called := set_config('pgwallet.called', 'on', true);
  end if;

  if p_shard is null then
    lock table pgwallet_router.gate in access share mode;
  else
    v_gate := hashtextextended('pgwallet_router.gate', p_shard);
    -- Expressions, which cost less than half of what a query does.
    if not pg_try_advisory_xact_lock_shared(v_gate) then
      perform pg_advisory_xact_lock_shared(v_gate);
    end if;
    -- Only to lock a relation takes note of what has changed meanwhile, as where the shard is.
    lock table pgwallet.role_grant in access share mode;
  end if;
end;
$function$;
