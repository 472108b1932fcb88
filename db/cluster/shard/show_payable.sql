-- What a project has on this shard to pay out, below 0 what it owes, once it may pay at all.
create or replace function pgwallet_shard.show_payable(p_project_id bigint, p_amount numeric)
returns table (balance numeric, credit_limit numeric)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_account pgwallet.account;
begin
  perform pgwallet._check_account('project', p_project_id, p_amount);
  select a.* into v_account from pgwallet.account as a where a.account_id = p_project_id;
  perform pgwallet._check_state(
    'project', p_project_id, v_account.closed_at, v_account.frozen_at
  );
  return query select v_account.balance, v_account.credit_limit::numeric;
end;
$function$;
