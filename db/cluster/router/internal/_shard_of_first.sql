-- The shard of the first of these ids that has one: there the others are not found, as on one
-- database. Where none has, any will do.
create or replace function pgwallet_router._shard_of_first(p_ids bigint[])
returns integer
language sql
immutable
as $function$
  select coalesce(
    (
      select s.shard
      from unnest(p_ids) with ordinality as u (id, place)
      cross join lateral pgwallet_router._shard_of(u.id) as s (shard)
      where s.shard is not null
      order by u.place
      limit 1
    ),
    0
  )
$function$;
