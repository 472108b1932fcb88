-- Checks the wallets of a bulk call: each exists, and its currency has the amount's decimals.
create or replace function pgwallet._check_wallets(p_wallet_ids bigint[], p_amounts numeric[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_element record;
begin
  -- What is missing comes before what has too many decimals.
  select u.wallet_id, u.amount, c.currency, c.exponent
  into v_element
  from unnest(p_wallet_ids, p_amounts) with ordinality as u (wallet_id, amount, ordinal)
  left join pgwallet.account as a on a.account_id = u.wallet_id and a.kind = 'wallet'
  left join pgwallet.currency as c on c.currency = a.currency
  where c.currency is null or scale(trim_scale(u.amount)) > c.exponent
  order by c.currency is not null, u.ordinal
  limit 1;

  if found and v_element.currency is null then
    perform pgwallet._refuse_missing('wallet', v_element.wallet_id);
  elsif found then
    perform pgwallet._refuse_decimals(
      v_element.amount, v_element.currency, v_element.exponent
    );
  end if;
end;
$function$;

comment on function pgwallet._check_wallets(bigint[], numeric[]) is
'Refuses unknown wallets and too many decimals in a bulk call. Raises: PW001, PW101.';
