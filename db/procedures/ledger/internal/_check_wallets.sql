-- Refuses unknown wallets and too many decimals in a bulk call.
create or replace function pgwallet._check_wallets(p_wallet_ids bigint[], p_amounts numeric[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_element record;
begin
  -- What is missing comes before what has too many decimals.
  select u.wallet_id, u.amount
  into v_element
  from unnest(p_wallet_ids, p_amounts) with ordinality as u (wallet_id, amount, ordinal)
  left join pgwallet.account as a on a.account_id = u.wallet_id and a.kind = 'wallet'
  where (scale(trim_scale(u.amount)) <= scale(a.balance)) is not true
  order by a.account_id is not null, u.ordinal
  limit 1;
  if found then
    perform pgwallet._check_account('wallet', v_element.wallet_id, v_element.amount);
  end if;
end;
$function$;
