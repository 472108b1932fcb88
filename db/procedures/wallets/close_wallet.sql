-- Closes a wallet for good, and its pockets with it, once none of them holds or owes anything and
-- nothing is locked in its pledges. A closed one stays as it is, and is returned again.
--
-- Locks: the wallet, whose lock guards its pockets; what is under way ends first.
create or replace function pgwallet.close_wallet(p_wallet_id bigint)
returns table (
  wallet_id bigint, owner_id text, currency text, balance numeric,
  credit_limit numeric, frozen_at timestamptz, closed_at timestamptz
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
declare
  v_account pgwallet.account;
  v_pocket_ids bigint[];
  v_in_pockets numeric;
  v_locked numeric;
  v_closed_at timestamptz;
begin
  perform pgwallet._check_account('wallet', p_wallet_id, null);
  select a.* into v_account
  from pgwallet.account as a where a.account_id = p_wallet_id
  for no key update;

  if v_account.closed_at is null then
    select coalesce(sum(b.balance), 0), coalesce(array_agg(k.pocket_id), '{}')
    into v_in_pockets, v_pocket_ids
    from pgwallet.pocket as k
    inner join pgwallet.account as b on b.account_id = k.pocket_id
    where k.wallet_id = p_wallet_id and k.closed_at is null;

    -- What left the wallet leads to its escrows: an index of escrows by wallet would cost each
    -- pledge.
    select coalesce(sum(e.amount - e.released_amount - e.refunded_amount), 0) into v_locked
    from pgwallet.escrow as e
    where e.status in ('locked', 'disputed') and e.escrow_id in (
      select t.escrow_id
      from pgwallet.posting as p
      inner join pgwallet.transaction as t on t.transaction_id = p.transaction_id
      where p.source_account_id = p_wallet_id and p.source_balance is not null
    );

    if v_account.balance <> 0 or v_in_pockets <> 0 or v_locked <> 0 then
      raise exception using
        errcode = 'PW210',
        message = format('wallet %s is not empty', p_wallet_id),
        detail = format(
          'Its balance is %s, its pockets hold %s, its pledges %s.',
          v_account.balance, round(v_in_pockets, scale(v_account.balance)),
          round(v_locked, scale(v_account.balance))
        ),
        hint = case
          when v_account.balance < 0 then 'Have what it owes paid in first.'
          when v_locked <> 0 then 'Release or refund its pledges, and withdraw what is left.'
          else 'Empty its pockets, and withdraw what is left.'
        end;
    end if;

    perform pgwallet._close_pockets(v_pocket_ids);
    v_closed_at := clock_timestamp();
    update pgwallet.account as a set closed_at = v_closed_at where a.account_id = p_wallet_id;
    perform pgwallet._insert_event(
      'close_wallet', p_wallet_id,
      jsonb_build_object('closed_at', null), jsonb_build_object('closed_at', v_closed_at)
    );
  end if;

  return query select s.* from pgwallet._show_wallets(array[p_wallet_id]) as s;
end;
$function$;

comment on function pgwallet.close_wallet(bigint) is
'Closes a wallet that holds nothing, and its pockets. Raises: PW101, PW210.';
