-- Does one part of a plan, once: the same part again returns what it returned. No row where the
-- part was cancelled. After the first part nothing is refused that could not be taken back.
--
-- Locks: the part, so that of two at once the second waits; then what the call in it locks.
create or replace function pgwallet_shard.run_part(
  p_plan_id bigint,
  p_place integer,
  p_part jsonb
)
returns table (answer jsonb)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_amount numeric := (p_part ->> 'amount')::numeric;
  v_metadata jsonb := nullif(p_part -> 'metadata', 'null'::jsonb);
  v_effective_at timestamptz := (p_part ->> 'effective_at')::timestamptz;
  v_request text;
  -- To be found by; what makes it once is the row here.
  v_key text := format('%s #%s.%s', left(p_part ->> 'key', 150), p_plan_id, p_place);
begin
  insert into pgwallet_shard.part as p (plan_id, place)
  values (p_plan_id, p_place)
  on conflict on constraint part_pkey do nothing;
  if not found then
    return query
    select p.answer
    from pgwallet_shard.part as p
    where p.plan_id = p_plan_id and p.place = p_place and not p.is_cancelled;
    return;
  end if;

  -- A key is one of its shard. A later part is of another one, where it may be another key.
  select t.request into v_request
  from pgwallet.transaction as t
  where t.idempotency_key = p_part ->> 'key' collate "C" and p_place = 0;
  if found then
    raise exception using
      errcode = 'PW203',
      message = format('idempotency key %L belongs to another call', p_part ->> 'key'),
      detail = format('It was used by %s on this shard.', v_request),
      hint = 'Repeat that call exactly, or take a new key.';
  end if;

  answer := case p_part ->> 'do'
    when 'payout' then (
      select to_jsonb(c)
      from pgwallet.payout(
        (p_part ->> 'project_id')::bigint, v_amount, v_key, v_metadata, v_effective_at
      ) as c
    )
    when 'collect' then (
      select to_jsonb(c)
      from pgwallet._collect(
        p_part ->> 'currency', p_part ->> 'account', v_amount, v_key, v_metadata, v_effective_at,
        p_place > 0
      ) as c
    )
    when 'reverse' then (
      select to_jsonb(c)
      from pgwallet._reverse(
        (p_part ->> 'transaction_id')::bigint, v_key, v_metadata, v_effective_at, p_place > 0
      ) as c
    )
    when 'send' then (
      select to_jsonb(c)
      from pgwallet_shard.send(
        (p_part ->> 'wallet_id')::bigint, v_amount, v_key, v_metadata, v_effective_at
      ) as c
    )
    when 'receive' then (
      select to_jsonb(c)
      from pgwallet_shard.receive(
        (p_part ->> 'wallet_id')::bigint, v_amount, v_key, v_metadata, v_effective_at
      ) as c
    )
  end;
  if (answer ->> 'replayed')::boolean is distinct from false then
    raise exception using
      errcode = 'PW203',
      message = format('idempotency key %L belongs to another call', v_key),
      detail = format('It is that of part %s of plan %s.', p_place, p_plan_id),
      hint = 'Take a new key.';
  end if;
  update pgwallet_shard.part as p
  set transaction_id = (run_part.answer ->> 'transaction_id')::bigint, answer = run_part.answer
  where p.plan_id = p_plan_id and p.place = p_place;
  return next;
end;
$function$;
