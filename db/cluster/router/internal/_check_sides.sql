-- Refuses a transfer between shards that the ledger would refuse on one: of pockets, which leave no
-- wallet, or between currencies.
create or replace function pgwallet_router._check_sides(
  p_from_account_id bigint,
  p_from_kind text,
  p_from_currency text,
  p_to_account_id bigint,
  p_to_kind text,
  p_to_currency text
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_from_kind <> 'wallet' or p_to_kind <> 'wallet' then
    raise exception using
      errcode = 'PW002',
      message = format(
        '%s %s and %s %s are no two sides of a transfer',
        p_from_kind, p_from_account_id, p_to_kind, p_to_account_id
      ),
      detail = 'Money moves between two wallets, or between two pockets of one wallet.',
      hint = case
        when p_from_kind = p_to_kind
          then 'Take it out by transfer_from_pocket, then transfer it to the other wallet.'
        else 'Between a wallet and its pocket use transfer_to_pocket and transfer_from_pocket.'
      end;
  end if;
  if p_from_currency <> p_to_currency then
    raise exception using
      errcode = 'PW003',
      message = format(
        'wallets %s and %s are in different currencies', p_from_account_id, p_to_account_id
      ),
      detail = format('One is in %s, the other in %s.', p_from_currency, p_to_currency),
      hint = 'Withdraw from one and deposit into the other what it came to.';
  end if;
end;
$function$;
