-- Gives what is left of an escrow that the caller has locked back to the wallet that pledged it.
--
-- Locks: the wallet.
create or replace function pgwallet._refund_left(
  p_transaction_id bigint,
  p_escrow_id bigint,
  p_expired boolean
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet._refund(
    p_transaction_id, array[l.escrow], array[l.wallet], array[l.source_id], array[l.wallet_id],
    array[l.amount], array[l.balance + l.amount], p_expired
  )
  from (
    select
      e.ctid as escrow, a.ctid as wallet, p.escrow_account_id as source_id, e.wallet_id,
      e.amount - e.released_amount - e.refunded_amount as amount, a.balance
    from pgwallet.escrow as e
    inner join pgwallet.project as p on p.project_id = e.project_id
    inner join pgwallet.account as a on a.account_id = e.wallet_id
    where e.escrow_id = p_escrow_id
    for no key update of a
  ) as l;
end;
$function$;
