-- Does what a plan says, part after part, and returns what they answered, replayed where another
-- session did the same meanwhile; broken off anywhere, the next call goes on. Where a part is
-- refused, it takes the others back and raises the refusal.
create or replace function pgwallet_router._run_plan(
  p_plan_id bigint,
  p_parts jsonb,
  out answers jsonb,
  out replayed boolean
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_home integer := pgwallet_router._shard_of(p_plan_id);
  v_part jsonb;
  v_answer jsonb;
  v_state text;
  v_error text[];
begin
  answers := '[]';
  for v_place in 0 .. jsonb_array_length(p_parts) - 1 loop
    v_part := p_parts -> v_place;
    select r.answer, r.error into v_answer, v_error
    from pgwallet_remote.run_part((v_part ->> 'shard')::integer, p_plan_id, v_place, v_part) as r;
    if v_error is not null then
      -- Only the ledger refuses for good, and a reversal cannot be taken back itself.
      if v_error[1] like 'PW%' and (v_place = 0 or v_part ->> 'do' <> 'reverse') then
        select r.state into v_state
        from pgwallet_remote.end_plan(v_home, p_plan_id, 'undoing', null) as r
        where r.error is null or pgwallet_router._raise(r.error);
        if v_state <> 'done' then
          perform pgwallet_router._undo_plan(p_plan_id, p_parts);
        end if;
      end if;
      perform pgwallet_router._raise(v_error);
    end if;
    exit when v_answer is null;
    answers := answers || jsonb_build_array(v_answer);
  end loop;

  if v_answer is not null then
    select r.state, r.answers, r.was_known into v_state, answers, replayed
    from pgwallet_remote.end_plan(v_home, p_plan_id, 'done', answers) as r
    where r.error is null or pgwallet_router._raise(r.error);
    if v_state = 'done' then
      return;
    end if;
  end if;
  -- Another session has the same call, was refused, and takes it back.
  raise exception using
    errcode = '40001',
    message = 'the same call was refused in another session',
    detail = format('Plan %s is being undone.', p_plan_id),
    hint = 'Repeat the call.';
end;
$function$;
