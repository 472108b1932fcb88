-- Takes back a part of a plan that will not be done, or sees to it that it never is.
--
-- Locks: the part; then what _reverse locks.
create or replace function pgwallet_shard.cancel_part(p_plan_id bigint, p_place integer)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_part pgwallet_shard.part;
begin
  insert into pgwallet_shard.part (plan_id, place, is_cancelled)
  values (p_plan_id, p_place, true)
  on conflict on constraint part_pkey do nothing;
  if found then
    return true;
  end if;
  select p.* into v_part
  from pgwallet_shard.part as p
  where p.plan_id = p_plan_id and p.place = p_place
  for update;
  if not v_part.is_cancelled then
    perform pgwallet._reverse(v_part.transaction_id, null, null, null, true);
    update pgwallet_shard.part as p
    set is_cancelled = true
    where p.plan_id = p_plan_id and p.place = p_place;
  end if;
  return true;
end;
$function$;
