-- The wallets of an owner, one for each currency; none where the owner has no wallet yet.
create or replace function pgwallet.list_wallets(p_owner_id text)
returns table (wallet_id bigint, owner_id text, currency text, balance numeric)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
begin
  perform pgwallet._check_text('owner_id', p_owner_id);
  return query
  select w.wallet_id, w.owner_id, w.currency, a.balance
  from pgwallet.wallet as w
  inner join pgwallet.account as a on a.account_id = w.wallet_id
  where w.owner_id = p_owner_id collate "C"
  order by w.currency;
end;
$function$;

comment on function pgwallet.list_wallets(text) is
'The wallets of an owner, one a currency. Raises: PW002.';
