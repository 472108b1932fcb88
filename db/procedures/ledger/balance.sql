-- What is in an account: kept for wallets, pockets and projects, else derived: from the escrows of
-- its project for an escrow account, from postings for commission, fee and external.
create or replace function pgwallet.balance(p_account_id bigint)
returns numeric
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_account pgwallet.account;
  v_balance numeric;
begin
  select a.* into v_account from pgwallet.account as a where a.account_id = p_account_id;
  if not found then
    perform pgwallet._refuse_missing('account', p_account_id);
  end if;

  case v_account.kind
    when 'escrow' then
      select sum(e.amount - e.released_amount - e.refunded_amount)
      into v_balance
      from pgwallet.project as p
      inner join pgwallet.escrow as e on e.project_id = p.project_id
        and e.status in ('locked', 'disputed')
      where p.escrow_account_id = p_account_id;
    when 'commission', 'fee' then
      -- The index of what was earned, less what was collected and what refunds took back.
      select sum(p.amount)
      into v_balance
      from pgwallet.posting as p
      where p.destination_account_id = p_account_id
        and p.source_balance is null and p.destination_balance is null;
      select coalesce(v_balance, 0) - coalesce(sum(p.amount), 0)
      into v_balance
      from pgwallet.transaction as t
      inner join pgwallet.posting as p on p.transaction_id = t.transaction_id
      where t.kind in ('release_refund', 'collection')
        and p.source_account_id = p_account_id;
    when 'external' then
      select sum(case when p.destination_account_id = p_account_id then p.amount else -p.amount end)
      into v_balance
      from pgwallet.posting as p
      where p.source_account_id = p_account_id or p.destination_account_id = p_account_id;
    else
      v_balance := v_account.balance;
  end case;
  return round(coalesce(v_balance, 0), pgwallet._find_exponent(v_account.currency));
end;
$function$;

comment on function pgwallet.balance(bigint) is
'What is in an account, in major units; below 0 for external. Raises: PW105.';
