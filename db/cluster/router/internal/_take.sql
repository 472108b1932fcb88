-- Pays money of a project, or earnings, to the outside, from the shards that hold most of it:
-- p_part says of what. With a key it is a plan of parts; the same call completes it, and returns
-- the first answer again.
--
-- Another call may take between a look and a part, or hold for a moment what it gives back because
-- it is refused. So what is refused is looked at again: only what all shards together do not have
-- is too much.
create or replace function pgwallet_router._take(
  p_what text,
  p_request text,
  p_part jsonb,
  p_amount numeric,
  out transaction_id bigint,
  out balance numeric,
  out replayed boolean
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_key text := p_part ->> 'key';
  v_of jsonb := p_part - '{key,metadata,effective_at}'::text[];
  v_plan record;
  v_parts jsonb;
  v_is_sure boolean := false;
begin
  v_plan := pgwallet_router._plan(v_key, p_request, null);
  if v_plan.plan_id is null and pgwallet_router._is_key_from_before(v_key) then
    -- Where it was used, it replays, or is refused.
    select r.* into transaction_id, balance, replayed
    from pgwallet_router._take_there(p_part || jsonb_build_object('shard', 0, 'amount', p_amount))
      as r;
    return;
  end if;
  for v_attempt in 1 .. 7 loop
    begin
      if v_plan.plan_id is null then
        v_parts := pgwallet_router._find_parts(p_part, p_amount);
        v_is_sure := false;
        if v_key is null then
          if jsonb_array_length(v_parts) > 1 then
            perform pgwallet_router._refuse_keyless(p_what);
          end if;
          select r.transaction_id, r.balance + (v_parts -> 0 ->> 'elsewhere')::numeric, r.replayed
          into transaction_id, balance, replayed
          from pgwallet_router._take_there(v_parts -> 0) as r;
          return;
        end if;
        v_plan := pgwallet_router._plan(v_key, p_request, v_parts);
      end if;

      replayed := v_plan.state = 'done';
      if not replayed then
        select r.answers, r.replayed into v_plan.answers, replayed
        from pgwallet_router._run_plan(v_plan.plan_id, v_plan.parts) as r;
      end if;
      transaction_id := (v_plan.answers -> 0 ->> 'transaction_id')::bigint;
      balance := (v_plan.parts -> 0 ->> 'elsewhere')::numeric + (
        select sum((a.answer ->> 'balance')::numeric)
        from jsonb_array_elements(v_plan.answers) as a (answer)
      );
      return;
    exception when sqlstate 'PW201' then
      if v_plan.plan_id is not null or v_parts is not null then
        -- It was taken back, so that its key is free.
        v_plan.plan_id := null;
      else
        -- Perhaps the same call has taken it, in a session that nobody hears of any more.
        v_plan := pgwallet_router._plan(v_key, p_request, null);
        if v_plan.plan_id is null then
          if v_is_sure then
            raise;
          end if;
          v_is_sure := not pgwallet_router._is_under_way(v_of);
        end if;
      end if;
      v_parts := null;
      if not v_is_sure then
        perform pg_sleep(0.01 * 2 ^ v_attempt * random());
      end if;
    end;
  end loop;
  raise exception using
    errcode = '40001',
    message = format('other calls are about to take what %s needs', p_what),
    detail = 'There may be enough for both only if one of them is refused.',
    hint = 'Repeat the call. One that was broken off is ended by pgwallet.complete_plans.';
end;
$function$;
