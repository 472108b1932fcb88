-- The id of the project with this reference, or else a fresh one for it, which all shards will use.
create or replace function pgwallet_shard.draw_project_id(p_reference text)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_project_id bigint;
begin
  select p.project_id into v_project_id
  from pgwallet.project as p
  where p.reference = p_reference collate "C";
  return coalesce(v_project_id, nextval('pgwallet_shard.project_id_seq') * 1024);
end;
$function$;
