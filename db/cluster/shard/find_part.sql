-- The plan that a transaction of this shard is a part of; no row if it is of none.
create or replace function pgwallet_shard.find_part(p_transaction_id bigint)
returns table (plan_id bigint, place integer)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select p.plan_id, p.place
  from pgwallet_shard.part as p
  where p.transaction_id = p_transaction_id;
end;
$function$;
