-- The postings with an id above one and up to another, in no order. The index by which it finds
-- them knows only in which pages they may be, so a planner is tempted by others.
create or replace function pgwallet._read_range(p_above bigint, p_until bigint)
returns setof pgwallet.posting
language plpgsql
stable
rows 1000
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_indexscan = off
set enable_indexonlyscan = off
as $function$
begin
  return query
  select p.*
  from pgwallet.posting as p
  where p.posting_id > p_above and p.posting_id <= p_until;
end;
$function$;
