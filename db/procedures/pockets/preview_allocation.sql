-- Shows what allocate_deposit would give to each pocket; moves nothing and asks no balance.
create or replace function pgwallet.preview_allocation(
  p_wallet_id bigint,
  p_amount numeric,
  p_rounding text default 'half_up'
)
returns table (
  pocket_id bigint, name text, allocation_percentage numeric, amount numeric, balance numeric
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
declare
  v_currency pgwallet.currency;
  v_has_rules boolean;
  v_limit integer;
begin
  if (p_amount > 0 and p_amount < 1000000000000000) is not true then
    perform pgwallet._refuse_amount(p_amount);
  end if;
  perform pgwallet._check_rounding(p_rounding);
  v_currency := pgwallet._check_account('wallet', p_wallet_id, p_amount);
  select s.max_pockets_per_allocation, a.has_rules
  into v_limit, v_has_rules
  from pgwallet.settings as s
  inner join pgwallet.account as a on a.account_id = p_wallet_id
  where s.only_row;
  if not found then
    perform pgwallet._refuse_missing_settings();
  end if;
  perform pgwallet._warn_of_pockets(array[p_wallet_id], v_limit);

  return query
  select s.pocket_id, s.name, s.allocation_percentage, s.amount, a.balance + s.amount
  from pgwallet._split_amount(
    p_wallet_id, p_amount, v_currency.exponent, v_limit, p_rounding, v_has_rules
  ) as s
  inner join pgwallet.account as a on a.account_id = s.pocket_id
  order by s.place;
  if not found then
    amount := round(0.0, v_currency.exponent);
    return next;
  end if;
end;
$function$;

comment on function pgwallet.preview_allocation(bigint, numeric, text) is
'Shows what an allocation would give to each pocket. Raises: PW001, PW002, PW101.';
