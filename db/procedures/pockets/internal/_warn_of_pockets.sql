-- Warns when wallets have more pockets with a percentage than take part in an allocation.
create or replace function pgwallet._warn_of_pockets(p_wallet_ids bigint[], p_limit integer)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_left_out bigint;
  v_wallets bigint;
begin
  select sum(w.pockets - p_limit), count(*)
  into v_left_out, v_wallets
  from (
    select count(*) as pockets
    from pgwallet.pocket as k
    where k.wallet_id = any (p_wallet_ids) and k.allocation_percentage > 0
    group by k.wallet_id
  ) as w
  where w.pockets > p_limit;

  if v_left_out > 0 then
    raise warning using
      message = format('%s pockets were left out of an allocation', v_left_out),
      detail = format(
        '%s wallets have more than %s pockets with a percentage.', v_wallets, p_limit
      ),
      hint = 'Raise max_pockets_per_allocation in pgwallet.settings, or use fewer pockets.';
  end if;
end;
$function$;
