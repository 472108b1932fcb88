-- Raises what a failure of PL/Proxy means: 08001 where the shard was not reached, so that nothing
-- was done, 08007 where it gave no answer. Returns for anything else.
create or replace function pgwallet_router._explain(p_sqlstate text, p_message text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_shard text := coalesce(substring(p_message from '\[([^]]*)\]'), '?');
begin
  -- A refusal of the ledger is no failure, whatever words its names bring in.
  if not (p_sqlstate = 'XX000' or p_sqlstate like '57P%' or p_sqlstate like '08%') then
    return;
  end if;
  if p_message ~ 'PQconnect|login has been failing|query_wait_timeout|no such database'
    or p_message ~ 'too many connections|remaining connection slots' or p_sqlstate = '57P03'
  then
    raise exception using
      errcode = '08001',
      message = format('shard %s cannot be reached', v_shard),
      detail = p_message,
      hint = 'Nothing was done there. Repeat the call when it is back.';
  elsif p_sqlstate like '57P%' or p_sqlstate = '08P01'
    or p_message ~ 'PQconsumeInput|PQflush|PQsendQuery|query timeout|server closed|Lost result'
  then
    raise exception using
      errcode = '08007',
      message = format('shard %s gave no answer', v_shard),
      detail = p_message,
      hint = 'The call may have been done: repeat it with the same idempotency key, or look.';
  end if;
end;
$function$;
