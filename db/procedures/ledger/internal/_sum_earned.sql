-- What commission or fee have earned, less what was collected and what refunds took back: along
-- indexes, for a ledger without seals.
create or replace function pgwallet._sum_earned(p_account_id bigint)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_earned numeric;
  v_gone numeric;
begin
  select coalesce(sum(p.amount), 0)
  into v_earned
  from pgwallet.posting as p
  where p.destination_account_id = p_account_id
    and p.source_balance is null and p.destination_balance is null;
  select coalesce(sum(p.amount), 0)
  into v_gone
  from pgwallet.transaction as t
  inner join pgwallet.posting as p on p.transaction_id = t.transaction_id
  where t.kind in ('release_refund', 'collection')
    and p.source_account_id = p_account_id;
  return v_earned - v_gone;
end;
$function$;
