-- Raises that some shards were not reached or gave no answer, each given as its number and what
-- _failure_of says, once all the others have been tried. Returns where there are none.
create or replace function pgwallet_router._refuse_failed(p_failed text[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_shards text;
  v_is_unknown boolean;
begin
  select
    string_agg(split_part(f.failure, ' ', 1), ', ' order by f.place),
    bool_or(f.failure like '% 08007')
  into v_shards, v_is_unknown
  from unnest(p_failed) with ordinality as f (failure, place);
  if v_shards is null then
    return;
  end if;
  raise exception using
    errcode = case when v_is_unknown then '08007' else '08001' end,
    message = format(
      case when v_is_unknown then 'no answer from shard %s' else 'not reached: shard %s' end,
      v_shards
    ),
    detail = 'On the other shards it was done.',
    hint = 'Repeat the call when they are back: it completes what is left.';
end;
$function$;
