-- Notes how far a plan is: done, undoing or undone. What was decided first stays; returns that, and
-- whether it was decided before. Metadata stay with the transactions, where they can be erased.
create or replace function pgwallet_shard.end_plan(
  p_plan_id bigint,
  p_state text,
  p_answers jsonb
)
returns table (state text, answers jsonb, was_known boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  update pgwallet_shard.plan as p
  set
    state = p_state, answers = p_answers, ended_at = clock_timestamp(),
    parts = case
      when p_state = 'undoing' then p.parts
      else (
        select jsonb_agg(e.part - 'metadata' order by e.place)
        from jsonb_array_elements(p.parts) with ordinality as e (part, place)
      )
    end
  where p.plan_id = p_plan_id
    and p.state = case p_state when 'undone' then 'undoing' else 'open' end;
  was_known := not found;
  return query
  select p.state, p.answers, was_known
  from pgwallet_shard.plan as p
  where p.plan_id = p_plan_id;
end;
$function$;
