-- How many plans this shard has, and how many of them are under way. While both stay as they are
-- and none is under way, nothing is on its way between shards.
create or replace function pgwallet_shard.count_plans()
returns table (plan_count bigint, open_count bigint)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select count(*), count(*) filter (where p.state in ('open', 'undoing'))
  from pgwallet_shard.plan as p;
end;
$function$;
