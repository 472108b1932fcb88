-- Refuses a transfer that could not be made, and says why.
create or replace function pgwallet._refuse_transfer(
  p_from_account_id bigint,
  p_to_account_id bigint,
  p_amount numeric
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_from pgwallet.account;
  v_to pgwallet.account;
  v_from_wallet_id bigint;
  v_to_wallet_id bigint;
begin
  perform pgwallet._check_transfer(p_from_account_id, p_to_account_id, p_amount);
  select a.* into v_from from pgwallet.account as a where a.account_id = p_from_account_id;
  select a.* into v_to from pgwallet.account as a where a.account_id = p_to_account_id;
  select k.wallet_id into v_from_wallet_id
  from pgwallet.pocket as k where k.pocket_id = p_from_account_id;
  select k.wallet_id into v_to_wallet_id
  from pgwallet.pocket as k where k.pocket_id = p_to_account_id;

  if v_from_wallet_id is distinct from v_to_wallet_id then
    raise exception using
      errcode = 'PW002',
      message = format(
        '%s %s and %s %s are no two sides of a transfer',
        v_from.kind, p_from_account_id, v_to.kind, p_to_account_id
      ),
      detail = 'Money moves between two wallets, or between two pockets of one wallet.',
      hint = case
        when v_from.kind = v_to.kind
          then 'Take it out by transfer_from_pocket, then transfer it to the other wallet.'
        else 'Between a wallet and its pocket use transfer_to_pocket and transfer_from_pocket.'
      end;
  end if;
  if v_from.currency <> v_to.currency then
    raise exception using
      errcode = 'PW003',
      message = format(
        'wallets %s and %s are in different currencies', p_from_account_id, p_to_account_id
      ),
      detail = format('One is in %s, the other in %s.', v_from.currency, v_to.currency),
      hint = 'Withdraw from one and deposit into the other what it came to.';
  end if;
  if v_from.closed_at is not null then
    perform pgwallet._refuse_closed_account(
      v_from.kind::text, p_from_account_id, v_from.closed_at
    );
  end if;
  if v_to.closed_at is not null then
    perform pgwallet._refuse_closed_account(v_to.kind::text, p_to_account_id, v_to.closed_at);
  end if;
  if v_from.frozen_at is not null then
    perform pgwallet._refuse_frozen(v_from.kind::text, p_from_account_id, v_from.frozen_at);
  end if;
  -- Nothing else is left, even if it has received something since.
  perform pgwallet._refuse_funds(
    v_from.kind::text, p_from_account_id, v_from.balance, round(p_amount, scale(v_from.balance)),
    v_from.credit_limit
  );
end;
$function$;
