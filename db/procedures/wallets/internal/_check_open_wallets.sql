-- Refuses to move money of wallets that are closed, and names the first.
create or replace function pgwallet._check_open_wallets(
  p_wallet_ids bigint[],
  p_replays boolean[] default null
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_wallet pgwallet.account;
begin
  select a.* into v_wallet
  from unnest(p_wallet_ids, p_replays) with ordinality as u (wallet_id, replayed, ordinal)
  inner join pgwallet.account as a on a.account_id = u.wallet_id
  where a.closed_at is not null and u.replayed is not true
  order by u.ordinal
  limit 1;
  if found then
    perform pgwallet._refuse_closed_account('wallet', v_wallet.account_id, v_wallet.closed_at);
  end if;
end;
$function$;
