-- Gives amounts of escrows back to the wallets that pledged them, because they have expired or for
-- another reason. The caller has locked both.
create or replace function pgwallet._refund(
  p_transaction_id bigint,
  p_escrow_ids bigint[],
  p_amounts numeric[],
  p_expired boolean default false
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  -- Whoever waited for the locks sees in a fresh statement what the balances are now.
  with refunded as (
    update pgwallet.escrow as e
    set
      refunded_amount = e.refunded_amount + u.amount,
      status = case
        when p_expired and e.refunded_amount + u.amount = e.amount then 'expired'
        else pgwallet._escrow_status(e.amount, e.released_amount, e.refunded_amount + u.amount)
      end,
      settled_by = case
        when e.released_amount + e.refunded_amount + u.amount = e.amount then p_transaction_id
      end
    from unnest(p_escrow_ids, p_amounts) as u (escrow_id, amount)
    where e.escrow_id = u.escrow_id
    returning e.escrow_id, e.wallet_id, e.project_id, u.amount
  ),

  refund as materialized (
    select
      r.escrow_id, r.wallet_id, p.escrow_account_id, r.amount,
      a.balance + sum(r.amount) over (partition by r.wallet_id order by r.escrow_id) as balance
    from refunded as r
    inner join pgwallet.project as p on p.project_id = r.project_id
    inner join pgwallet.account as a on a.account_id = r.wallet_id
  ),

  credited as (
    update pgwallet.account as a
    set balance = d.balance
    from (
      select r.wallet_id, max(r.balance) as balance
      from refund as r
      group by r.wallet_id
    ) as d
    where a.account_id = d.wallet_id
  )

  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, destination_balance
  )
  select p_transaction_id, r.escrow_account_id, r.wallet_id, r.amount, r.balance
  from refund as r
  order by r.escrow_id;
end;
$function$;
