-- The wallets of an owner, one for each currency, closed ones too; none where the owner has none.
create or replace function pgwallet.list_wallets(p_owner_id text)
returns table (
  wallet_id bigint, owner_id text, currency text, balance numeric,
  credit_limit numeric, frozen_at timestamptz, closed_at timestamptz
)
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
  select s.*
  from pgwallet._show_wallets(
    array(
      select w.wallet_id
      from pgwallet.wallet as w
      where w.owner_id = p_owner_id collate "C"
    )
  ) as s;
end;
$function$;

comment on function pgwallet.list_wallets(text) is
'The wallets of an owner, one a currency. Raises: PW002.';
