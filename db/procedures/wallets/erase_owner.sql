-- Forgets whose wallet it is: the owner becomes a made-up one, without the salt nobody guesses the
-- old one from its digest, and metadata of what moved money of the wallet, its pockets and its
-- escrows give way to their digest. Again: what came since.
--
-- Locks, in order: the wallet's escrows in which anything is left, since a release takes no lock on
-- the wallet; the wallet; its transactions by id, since a transfer is two wallets'.
create or replace function pgwallet.erase_owner(p_wallet_id bigint)
returns table (
  wallet_id bigint, owner_id text, currency text, transaction_count bigint, balance numeric
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  v_account_ids bigint[];
  v_transaction_ids bigint[];
  v_is_erased boolean;
  v_owner_id text;
begin
  perform pgwallet._check_account('wallet', p_wallet_id, null);

  perform e.escrow_id
  from pgwallet.escrow as e
  where e.status in ('locked', 'disputed') and e.escrow_id in (
    select t.escrow_id
    from pgwallet.posting as p
    inner join pgwallet.transaction as t on t.transaction_id = p.transaction_id
    where p.source_account_id = p_wallet_id and p.source_balance is not null and t.kind = 'pledge'
  )
  order by e.escrow_id
  for no key update;
  perform a.account_id
  from pgwallet.account as a
  where a.account_id = p_wallet_id
  for no key update;

  -- From here on fresh statements, which see what those did that were waited for.
  select array_agg(k.pocket_id) || p_wallet_id into v_account_ids
  from pgwallet.pocket as k
  where k.wallet_id = p_wallet_id;

  with moved as (
    select p.transaction_id
    from pgwallet.posting as p
    where p.source_account_id = any(v_account_ids) and p.source_balance is not null
    union
    select p.transaction_id
    from pgwallet.posting as p
    where p.destination_account_id = any(v_account_ids) and p.destination_balance is not null
  ),

  settled as (
    select s.transaction_id
    from moved as m
    inner join pgwallet.transaction as t on t.transaction_id = m.transaction_id
    inner join pgwallet.transaction as s on s.escrow_id = t.escrow_id
    where t.kind = 'pledge'
      and s.metadata is not null and s.escrow_id is not null and s.kind <> 'pledge'
  )

  select array_agg(x.transaction_id) into v_transaction_ids
  from (
    select t.transaction_id
    from pgwallet.transaction as t
    where t.metadata is not null and t.transaction_id in (
      select m.transaction_id from moved as m
      union
      select s.transaction_id from settled as s
    )
    order by t.transaction_id
    for no key update
  ) as x;
  update pgwallet.transaction as t
  set metadata = null, metadata_digest = sha256(convert_to(t.metadata::text, 'UTF8'))
  where t.transaction_id = any(v_transaction_ids);

  v_is_erased := exists (
    select
    from pgwallet.event as e
    where e.subject_id = p_wallet_id and e.kind = 'erase_owner'
  );
  if not v_is_erased then
    -- Of the same slot, so that the wallet is found by it where a cluster looks.
    select n.name into v_owner_id
    from (
      select 'erased-' || gen_random_uuid() as name from generate_series(1, 40000) offset 0
    ) as n
    where pgwallet._slot_of(n.name) = p_wallet_id % 1024
    limit 1;
    update pgwallet.wallet as w
    set owner_id = v_owner_id, owner_salt = null
    where w.wallet_id = p_wallet_id;
  end if;
  if not v_is_erased or v_transaction_ids is not null then
    perform pgwallet._insert_event(
      'erase_owner', p_wallet_id, null,
      jsonb_build_object('transaction_count', coalesce(cardinality(v_transaction_ids), 0))
    );
  end if;

  return query
  select
    w.wallet_id, w.owner_id, w.currency, coalesce(cardinality(v_transaction_ids), 0)::bigint,
    a.balance
  from pgwallet.wallet as w
  inner join pgwallet.account as a on a.account_id = w.wallet_id
  where w.wallet_id = p_wallet_id;
end;
$function$;

comment on function pgwallet.erase_owner(bigint) is
'Forgets whose wallet it is, and the metadata of what moved its money. Raises: PW101.';
