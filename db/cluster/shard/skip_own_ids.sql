-- Moves the ids of plans and projects that this shard gives out ahead by a margin, as skip_ids does
-- those of the ledger: after a restore or failover that lost commits. A plan of an id that another
-- shard has done a part of would be taken for done.
create or replace function pgwallet_shard.skip_own_ids(p_margin bigint)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform setval('pgwallet_shard.plan_id_seq', s.last_value + p_margin)
  from pgwallet_shard.plan_id_seq as s;
  -- By whole rounds, so that this shard stays the home of what it draws.
  perform setval(
    'pgwallet_shard.project_id_seq', s.last_value + p_margin / i.shard_count * i.shard_count
  )
  from pgwallet_shard.project_id_seq as s
  cross join pgwallet_shard.identity as i;
  return true;
end;
$function$;
