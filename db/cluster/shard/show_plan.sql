-- The plan with this id.
create or replace function pgwallet_shard.show_plan(p_plan_id bigint)
returns table (idempotency_key text, request text, parts jsonb, state text, answers jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select p.idempotency_key, p.request, p.parts, p.state, p.answers
  from pgwallet_shard.plan as p
  where p.plan_id = p_plan_id;
end;
$function$;
