-- Refuses allocations whose shares sum to more than their wallet holds: the first such wallet. The
-- transactions are those of the call, whose earlier shares are told with those that are refused.
create or replace function pgwallet._check_shares(
  p_wallet_ids bigint[],
  p_amounts numeric[],
  p_transaction_ids bigint[],
  p_limit integer,
  p_rounding text
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_short record;
  v_moved numeric;
begin
  select a.account_id, a.balance, d.amount
  into v_short
  from (
    select u.wallet_id, sum(s.amount) as amount, min(u.ordinal) as ordinal
    from unnest(p_wallet_ids, p_amounts) with ordinality as u (wallet_id, amount, ordinal)
    inner join pgwallet.account as b on b.account_id = u.wallet_id
    cross join lateral pgwallet._split_amount(
      u.wallet_id, u.amount, scale(b.balance), p_limit, p_rounding, b.has_rules
    ) as s
    group by u.wallet_id
  ) as d
  inner join pgwallet.account as a on a.account_id = d.wallet_id
  where a.balance < d.amount
  order by d.ordinal
  limit 1;
  if found then
    select coalesce(sum(p.amount), 0.0) into v_moved
    from pgwallet.posting as p
    where p.transaction_id = any (p_transaction_ids) and p.source_account_id = v_short.account_id;
    perform pgwallet._refuse_funds(
      'wallet', v_short.account_id, v_short.balance + v_moved, v_short.amount + v_moved
    );
  end if;
end;
$function$;
