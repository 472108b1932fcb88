-- The plan of a key, whatever its call; no row where there is none, or it was taken back.
create or replace function pgwallet_shard.find_plan(p_idempotency_key text)
returns table (plan_id bigint)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select p.plan_id
  from pgwallet_shard.plan as p
  where p.idempotency_key = p_idempotency_key collate "C" and p.state <> 'undone';
end;
$function$;
