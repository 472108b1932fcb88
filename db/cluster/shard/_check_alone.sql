-- Refuses what concerns all shards and is not done by a router; of a transaction given, only if it
-- is a part of a plan.
create or replace function pgwallet_shard._check_alone(
  p_function text,
  p_transaction_id bigint
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_identity pgwallet_shard.identity;
begin
  select i.* into v_identity from pgwallet_shard.identity as i;
  if not found
    or pgwallet._is_router()
    or not exists (
      select from pgwallet_shard.part as p where p.transaction_id = p_transaction_id
    ) and p_transaction_id is not null
  then
    return;
  end if;

  raise exception using
    errcode = '0A000',
    message = format(
      '%s concerns all shards, and this is shard %s of cluster %s',
      p_function, v_identity.shard, v_identity.cluster
    ),
    detail = 'Done here alone, it would be missing on the others.',
    hint = 'Call it through a router; in Python, on the connection of Cluster.router().';
end;
$function$;
