-- Posts what was released from a project's escrows: to the project, as commission, as fee.
--
-- Locks: the project's account.
create or replace function pgwallet._post_release(
  p_transaction_id bigint,
  p_project_id bigint,
  p_net numeric,
  p_commission numeric,
  p_fee numeric
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_balance numeric;
begin
  update pgwallet.account as a
  set balance = a.balance + p_net
  where a.account_id = p_project_id
  returning a.balance into v_balance;

  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount, destination_balance
  )
  select p_transaction_id, p.escrow_account_id, d.account_id, d.amount, d.balance
  from pgwallet.project as p
  inner join pgwallet.currency as c on c.currency = p.currency
  cross join lateral (
    values
      (1, p.project_id, p_net, v_balance),
      (2, c.commission_account_id, p_commission, null),
      (3, c.fee_account_id, p_fee, null)
  ) as d (place, account_id, amount, balance)
  where p.project_id = p_project_id and d.amount > 0
  order by d.place;
end;
$function$;
