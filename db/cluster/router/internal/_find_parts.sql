-- The parts of what is to be taken of a project or of earnings, from the shards that hold most of
-- it; refuses an amount that all together do not have. Each is p_part with its shard and amount.
create or replace function pgwallet_router._find_parts(p_part jsonb, p_amount numeric)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_id bigint := (p_part ->> 'project_id')::bigint;
  v_home integer := pgwallet_router._home_of_project(v_id);
  v_kind text := coalesce(p_part ->> 'account', 'project');
  v_balances numeric[];
  v_payable numeric[];
  v_credit numeric := 0;
begin
  if p_part ->> 'do' = 'payout' then
    perform
    from pgwallet_remote.show_payable(v_home, v_id, p_amount) as r
    where r.error is null or pgwallet_router._raise(r.error);
    select
      array_agg(r.balance order by s.shard),
      array_agg(case s.shard when v_home then r.balance + r.credit_limit else r.balance end
        order by s.shard),
      max(case s.shard when v_home then r.credit_limit end)
    into v_balances, v_payable, v_credit
    from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
    cross join lateral pgwallet_remote.show_payable(s.shard, v_id, p_amount) as r
    where r.error is null or pgwallet_router._raise(r.error);
  else
    select array_agg(r.balance order by s.shard), min(r.account_id)
    into v_balances, v_id
    from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
    cross join lateral pgwallet_remote.show_earnings(
      s.shard, p_part ->> 'currency', p_part ->> 'account'
    ) as r
    where r.error is null or pgwallet_router._raise(r.error);
    -- To refund a release may have taken a shard below 0: what another has covers that.
    select array_agg(greatest(b.balance, 0) order by b.place) into v_payable
    from unnest(v_balances) with ordinality as b (balance, place);
  end if;

  if least(
    (select sum(b.payable) from unnest(v_payable) as b (payable)),
    (select sum(b.balance) from unnest(v_balances) as b (balance)) + v_credit
  ) < p_amount then
    perform pgwallet._refuse_funds(
      v_kind, v_id, (select sum(b.balance) from unnest(v_balances) as b (balance)),
      round(p_amount, scale(v_balances[1])), v_credit
    );
  end if;
  return pgwallet_router._split_amount(p_amount, v_payable, v_balances, p_part);
end;
$function$;
