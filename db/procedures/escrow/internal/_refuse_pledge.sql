-- Refuses a pledge that could not be made, and says why.
create or replace function pgwallet._refuse_pledge(
  p_wallet_id bigint,
  p_project_id bigint,
  p_amount numeric
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_wallet pgwallet.account;
  v_project pgwallet.project;
  v_amount numeric;
begin
  perform pgwallet._check_account('wallet', p_wallet_id, null);
  perform pgwallet._check_account('project', p_project_id, null);
  perform pgwallet._check_account('wallet', p_wallet_id, p_amount);
  select a.* into v_wallet from pgwallet.account as a where a.account_id = p_wallet_id;
  select p.* into v_project from pgwallet.project as p where p.project_id = p_project_id;
  v_amount := round(p_amount, scale(v_wallet.balance));

  if v_project.currency <> v_wallet.currency then
    perform pgwallet._refuse_currency(
      p_wallet_id, v_wallet.currency, p_project_id, v_project.currency
    );
  end if;
  perform pgwallet._check_state('wallet', p_wallet_id, v_wallet.closed_at, v_wallet.frozen_at);
  if v_project.frozen_at is not null then
    perform pgwallet._refuse_frozen('project', p_project_id, v_project.frozen_at);
  end if;
  if v_project.status <> 'open' then
    perform pgwallet._refuse_closed(p_project_id, v_project.status);
  end if;
  if v_amount > v_project.max_pledge then
    perform pgwallet._refuse_limit(p_project_id, v_amount, v_project.max_pledge);
  end if;
  -- Nothing else is left, even if the wallet has received something since.
  perform pgwallet._refuse_funds(
    'wallet', p_wallet_id, v_wallet.balance, v_amount, v_wallet.credit_limit
  );
end;
$function$;
