-- Gives back all that is left of escrows, because they have expired or for another reason. The
-- caller has locked them and their wallets, and tells for each escrow where both rows are, what is
-- left, from which account it comes and the wallet's balance after it. A locked row stays where it
-- is: the updates go there, without an index.
create or replace function pgwallet._refund(
  p_transaction_id bigint,
  p_escrows tid[],
  p_wallets tid[],
  p_source_ids bigint[],
  p_wallet_ids bigint[],
  p_amounts numeric[],
  p_balances numeric[],
  p_expired boolean
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $function$
begin
  update pgwallet.escrow as e
  set
    refunded_amount = e.amount - e.released_amount,
    status = case
      when p_expired and e.released_amount = 0 then 'expired'
      else pgwallet._escrow_status(e.amount, e.released_amount, e.amount - e.released_amount)
    end,
    settled_by = p_transaction_id
  where e.ctid = any (p_escrows);

  update pgwallet.account as a
  set balance = d.balance
  from (
    select r.place, max(r.balance) as balance
    from unnest(p_wallets, p_balances) as r (place, balance)
    group by r.place
  ) as d
  where a.ctid = d.place;

  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, destination_balance
  )
  select p_transaction_id, r.source_id, r.wallet_id, r.amount, r.balance
  from unnest(p_source_ids, p_wallet_ids, p_amounts, p_balances) with ordinality
    as r (source_id, wallet_id, amount, balance, place)
  order by r.place;
end;
$function$;
