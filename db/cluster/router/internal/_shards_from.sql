-- The shards in the order of their ids, from where a page ended on: the one of its last id, and
-- those behind it, or before it where the newest come first. Without a last id all of them.
create or replace function pgwallet_router._shards_from(
  p_after_id bigint,
  p_newest_first boolean default false
)
returns setof integer
language sql
immutable
as $function$
  select s.shard
  from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
  where case
    when p_newest_first then s.shard <= pgwallet_router._shard_of(p_after_id)
    else s.shard >= pgwallet_router._shard_of(p_after_id)
  end is not false
  order by case when p_newest_first then -s.shard else s.shard end
$function$;
