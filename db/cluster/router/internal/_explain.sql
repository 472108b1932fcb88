-- Raises what a failure of PL/Proxy means, as _failure_of tells it. Returns for anything else.
create or replace function pgwallet_router._explain(p_sqlstate text, p_message text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_failure text := pgwallet_router._failure_of(p_sqlstate, p_message);
  v_shard text := coalesce(substring(p_message from '[[]([^]]*)[]]'), '?');
begin
  if v_failure = '08001' then
    raise exception using
      errcode = v_failure,
      message = format('shard %s cannot be reached', v_shard),
      detail = p_message,
      hint = 'Nothing was done there. Repeat the call when it is back.';
  elsif v_failure = '08007' then
    raise exception using
      errcode = v_failure,
      message = format('shard %s gave no answer', v_shard),
      detail = p_message,
      hint = 'The call may have been done: repeat it with the same idempotency key, or look.';
  end if;
end;
$function$;
