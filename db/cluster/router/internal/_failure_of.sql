-- What a failure of PL/Proxy means: 08001 where the shard was not reached, so that nothing was done
-- there, 08007 where it gave no answer. Null for anything else.
create or replace function pgwallet_router._failure_of(p_sqlstate text, p_message text)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $function$
begin
  -- A refusal of the ledger is no failure, whatever words its names bring in.
  if not (p_sqlstate = 'XX000' or p_sqlstate like '57P%' or p_sqlstate like '08%') then
    return null;
  end if;
  if p_message ~ 'PQconnect|login has been failing|query_wait_timeout|no such database'
    or p_message ~ 'too many connections|remaining connection slots' or p_sqlstate = '57P03'
  then
    return '08001';
  elsif p_sqlstate like '57P%' or p_sqlstate = '08P01'
    or p_message ~ 'PQconsumeInput|PQflush|PQsendQuery|query timeout|server closed|Lost result'
  then
    return '08007';
  end if;
  return null;
end;
$function$;
