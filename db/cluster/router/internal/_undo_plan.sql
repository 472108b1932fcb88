-- Takes back what was done of a plan that will not be done, the last part first.
create or replace function pgwallet_router._undo_plan(p_plan_id bigint, p_parts jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  for v_place in reverse jsonb_array_length(p_parts) - 1 .. 0 loop
    perform
    from pgwallet_remote.cancel_part(
      (p_parts -> v_place ->> 'shard')::integer, p_plan_id, v_place
    ) as r
    where r.error is null or pgwallet_router._raise(r.error);
  end loop;
  perform
  from pgwallet_remote.end_plan(
    pgwallet_router._shard_of(p_plan_id), p_plan_id, 'undone', null
  ) as r
  where r.error is null or pgwallet_router._raise(r.error);
end;
$function$;
