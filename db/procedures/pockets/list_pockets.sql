-- The open pockets of a wallet with what they hold and lack of their target, the oldest first.
create or replace function pgwallet.list_pockets(p_wallet_id bigint)
returns table (
  pocket_id bigint, wallet_id bigint, name text, allocation_percentage numeric, balance numeric,
  pocket_type text, target_amount numeric, stop_at_target boolean, takes_rest boolean,
  lacking_amount numeric
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
begin
  perform pgwallet._check_account('wallet', p_wallet_id, null);
  return query
  select s.*
  from pgwallet.pocket as k
  cross join lateral pgwallet._show_pocket(k.pocket_id) as s
  where k.wallet_id = p_wallet_id and k.closed_at is null
  order by k.pocket_id;
end;
$function$;

comment on function pgwallet.list_pockets(bigint) is
'The open pockets of a wallet, with what they hold. Raises: PW101.';
