-- Writes a plan down under its key, unless one is there, and returns the one that is; without parts
-- it only looks. Refuses the key of another call.
create or replace function pgwallet_shard.open_plan(
  p_idempotency_key text,
  p_request text,
  p_parts jsonb
)
returns table (plan_id bigint, parts jsonb, state text, answers jsonb)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_request text;
begin
  if p_parts is not null then
    insert into pgwallet_shard.plan (idempotency_key, request, parts)
    values (p_idempotency_key, p_request, p_parts)
    on conflict do nothing;
  end if;
  select p.plan_id, p.request, p.parts, p.state, p.answers
  into plan_id, v_request, parts, state, answers
  from pgwallet_shard.plan as p
  where p.idempotency_key = p_idempotency_key collate "C" and p.state <> 'undone';
  if not found then
    return;
  end if;
  if v_request <> p_request then
    raise exception using
      errcode = 'PW203',
      message = format('idempotency key %L belongs to another call', p_idempotency_key),
      detail = format('It was used by %s, this is %s.', v_request, p_request),
      hint = 'Repeat that call exactly, or take a new key.';
  end if;
  return next;
end;
$function$;
