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
  -- Where another shard takes it over, ids there would go on from it, in the range of this one.
  if v_project_id >= 1::bigint << 46 then
    raise exception using
      errcode = '55000',
      message = format('project %L is on one shard alone', p_reference),
      detail = format('It was made there, with the id %s.', v_project_id),
      hint = 'Make projects through a router; take another reference for this one.';
  end if;
  return coalesce(v_project_id, nextval('pgwallet_shard.project_id_seq') * 1024);
end;
$function$;
