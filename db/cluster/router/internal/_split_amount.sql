-- The parts of an amount that several shards hold, the most first, so that few take part; the rest
-- of what they hold is noted in the first. Each is what p_part says, with its shard and amount.
create or replace function pgwallet_router._split_amount(
  p_amount numeric,
  p_payable numeric[],
  p_balances numeric[],
  p_part jsonb
)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_left numeric := p_amount;
  v_shard integer;
  v_amount numeric;
  v_elsewhere numeric := (select sum(b.balance) from unnest(p_balances) as b (balance));
  v_parts jsonb := '[]';
begin
  for v_shard, v_amount in
    select b.place - 1, b.payable
    from unnest(p_payable) with ordinality as b (payable, place)
    where b.payable > 0
    order by b.payable desc, b.place
  loop
    v_amount := least(v_amount, v_left);
    v_parts := v_parts || jsonb_build_array(
      p_part || jsonb_build_object('shard', v_shard, 'amount', v_amount)
    );
    v_left := v_left - v_amount;
    v_elsewhere := v_elsewhere - p_balances[v_shard + 1];
    exit when v_left = 0;
  end loop;
  return jsonb_set(v_parts, '{0,elsewhere}', to_jsonb(v_elsewhere));
end;
$function$;
