-- Does on its shard what a call takes from one shard alone: p_part says which, and of what.
create or replace function pgwallet_router._take_there(p_part jsonb)
returns table (transaction_id bigint, balance numeric, replayed boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_shard integer := (p_part ->> 'shard')::integer;
  v_amount numeric := (p_part ->> 'amount')::numeric;
  v_key text := p_part ->> 'key';
  v_metadata jsonb := nullif(p_part -> 'metadata', 'null'::jsonb);
  v_effective_at timestamptz := (p_part ->> 'effective_at')::timestamptz;
begin
  if p_part ->> 'do' = 'payout' then
    return query
    select r.transaction_id, r.balance, r.replayed
    from pgwallet_remote.payout(
      v_shard, (p_part ->> 'project_id')::bigint, v_amount, v_key, v_metadata, v_effective_at
    ) as r
    where r.error is null or pgwallet_router._raise(r.error);
  else
    return query
    select r.transaction_id, r.balance, r.replayed
    from pgwallet_remote.collect_earnings(
      v_shard, p_part ->> 'currency', p_part ->> 'account', v_amount, v_key, v_metadata,
      v_effective_at
    ) as r
    where r.error is null or pgwallet_router._raise(r.error);
  end if;
end;
$function$;
