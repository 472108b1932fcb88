-- Plans that were left before they were done or undone, those at least this old, the oldest first.
create or replace function pgwallet_shard.list_left_plans(p_age interval)
returns table (plan_id bigint, idempotency_key text, request text, parts jsonb, state text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select p.plan_id, p.idempotency_key, p.request, p.parts, p.state
  from pgwallet_shard.plan as p
  where p.state in ('open', 'undoing') and p.made_at <= clock_timestamp() - p_age
  order by p.made_at, p.plan_id;
end;
$function$;
