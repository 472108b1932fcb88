-- Completes what calls on several shards have left, or takes back what was refused of them: all
-- that is at least p_age old. Returns a row for each, with what is still in the way. For operators.
create or replace function pgwallet.complete_plans(p_age interval default '1 minute')
returns table (idempotency_key text, request text, state text, failure text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_plan record;
  -- Here current_user is the owner.
  v_caller name := coalesce(nullif(current_setting('role'), 'none'), session_user);
begin
  -- No access of a ledger names it, so everybody may call it; those who may close a project, which
  -- is what operators may, get through.
  if not has_function_privilege(v_caller, 'pgwallet.close_project(bigint, text)', 'execute') then
    raise exception using
      errcode = '42501',
      message = 'permission denied for function complete_plans',
      detail = format('Role %I is no operator.', v_caller),
      hint = 'Have the owner run pgwallet.grant_operator for this role.';
  end if;
  perform pgwallet_router._begin_call();
  for v_plan in
    select r.plan_id, r.idempotency_key, r.request, r.parts, r.state
    from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
    cross join lateral pgwallet_remote.list_left_plans(s.shard, p_age) as r
    where r.error is null or pgwallet_router._raise(r.error)
  loop
    idempotency_key := v_plan.idempotency_key;
    request := v_plan.request;
    failure := null;
    begin
      if v_plan.state = 'undoing' then
        perform pgwallet_router._undo_plan(v_plan.plan_id, v_plan.parts);
        state := 'undone';
      else
        perform pgwallet_router._run_plan(v_plan.plan_id, v_plan.parts);
        state := 'done';
      end if;
    exception when others then
      -- What was refused is undone by now, what failed is left.
      failure := sqlerrm;
      select r.state into state
      from pgwallet_remote.show_plan(pgwallet_router._shard_of(v_plan.plan_id), v_plan.plan_id) as r
      where r.error is null or pgwallet_router._raise(r.error);
    end;
    return next;
  end loop;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;

comment on function pgwallet.complete_plans(interval) is
'Completes what calls on several shards have left, or takes back what was refused of them. '
'For operators.';
