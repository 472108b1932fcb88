-- Refuses to read history on where what is still being written is not seen: on a standby, and in a
-- transaction whose snapshot does not move.
create or replace function pgwallet._check_decided()
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  if pg_is_in_recovery() then
    raise exception using
      errcode = '25006',
      message = 'a standby cannot tell what is still being written',
      detail = 'History is read on only where the transactions that write it are.',
      hint = 'Ask the primary.';
  end if;
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    raise exception using
      errcode = '25001',
      message = 'history is read on at the isolation level read committed alone',
      detail = format(
        'At the level %s a transaction does not see what others commit while it waits for them.',
        current_setting('transaction_isolation')
      ),
      hint = 'Begin a transaction at the level read committed.';
  end if;
end;
$function$;
