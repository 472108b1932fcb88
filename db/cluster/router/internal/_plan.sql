-- The plan of a call with a key, looked up, or written down where p_parts are given; all null where
-- there is none. One that is being undone is undone first, and then is none.
create or replace function pgwallet_router._plan(
  p_idempotency_key text,
  p_request text,
  p_parts jsonb,
  out plan_id bigint,
  out parts jsonb,
  out state text,
  out answers jsonb
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_idempotency_key is null then
    return;
  end if;
  loop
    select r.plan_id, r.parts, r.state, r.answers into plan_id, parts, state, answers
    from pgwallet_remote.open_plan(
      pgwallet_router._home_of(p_idempotency_key), p_idempotency_key, p_request, p_parts
    ) as r
    where r.error is null or pgwallet_router._raise(r.error);
    exit when state is distinct from 'undoing';
    perform pgwallet_router._undo_plan(plan_id, parts);
  end loop;
end;
$function$;
