-- Compares what has to be the same on all shards: a row for each thing that is not.
create or replace function pgwallet_router._compare_shards()
returns table (subject text, detail text)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_parts integer[];
begin
  return query
  select c.subject, c.detail from pgwallet_router._compare_part(null) as c where c.part is null;

  select array_agg(c.part order by c.part) into v_parts
  from pgwallet_router._compare_part(null) as c
  where c.part is not null;
  return query
  select c.subject, c.detail
  from unnest(v_parts) as v (part)
  cross join lateral pgwallet_router._compare_part(v.part) as c;
end;
$function$;
