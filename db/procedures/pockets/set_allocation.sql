-- Sets the percentage of allocated deposits that a pocket receives.
--
-- Locks: the wallet, so that an allocation under way ends first.
create or replace function pgwallet.set_allocation(
  p_pocket_id bigint,
  p_allocation_percentage numeric
)
returns table (
  pocket_id bigint, wallet_id bigint, name text, allocation_percentage numeric, balance numeric,
  pocket_type text, target_amount numeric
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_wallet_id bigint;
  v_before numeric;
begin
  perform pgwallet._check_percentage(p_allocation_percentage);
  select k.wallet_id into v_wallet_id from pgwallet.pocket as k where k.pocket_id = p_pocket_id;
  if not found then
    perform pgwallet._refuse_missing('pocket', p_pocket_id);
  end if;

  perform from pgwallet.account as a where a.account_id = v_wallet_id for no key update;

  select k.allocation_percentage into v_before
  from pgwallet.pocket as k where k.pocket_id = p_pocket_id
  for no key update;
  perform pgwallet._add_percentage(v_wallet_id, p_allocation_percentage - v_before);

  update pgwallet.pocket as k
  set allocation_percentage = trim_scale(p_allocation_percentage)
  where k.pocket_id = p_pocket_id;

  return query
  select
    k.pocket_id, k.wallet_id, k.name, k.allocation_percentage, a.balance,
    k.pocket_type, k.target_amount
  from pgwallet.pocket as k
  inner join pgwallet.account as a on a.account_id = k.pocket_id
  where k.pocket_id = p_pocket_id;
end;
$function$;

comment on function pgwallet.set_allocation(bigint, numeric) is
'Sets the percentage of deposits that a pocket receives. Raises: PW002, PW102, PW302.';
