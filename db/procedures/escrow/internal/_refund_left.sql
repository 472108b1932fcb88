-- Gives what is left of an escrow that the caller has locked back to the wallet that pledged it.
--
-- Locks: the wallet.
create or replace function pgwallet._refund_left(
  p_transaction_id bigint,
  p_escrow_id bigint,
  p_left numeric,
  p_expired boolean
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_wallet_id bigint;
  v_project_id bigint;
  v_balance numeric;
begin
  update pgwallet.escrow as e
  set
    refunded_amount = e.amount - e.released_amount,
    status = case
      when p_expired and e.released_amount = 0 then 'expired'
      else pgwallet._escrow_status(e.amount, e.released_amount, e.amount - e.released_amount)
    end,
    settled_by = p_transaction_id
  where e.escrow_id = p_escrow_id
  returning e.wallet_id, e.project_id into v_wallet_id, v_project_id;

  update pgwallet.account as a
  set balance = a.balance + p_left
  where a.account_id = v_wallet_id
  returning a.balance into v_balance;

  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, destination_balance
  )
  select p_transaction_id, p.escrow_account_id, v_wallet_id, p_left, v_balance
  from pgwallet.project as p where p.project_id = v_project_id;
end;
$function$;
