-- Pays money out of a wallet to the outside; never more than is in it and its credit together.
--
-- Locks, in order: the idempotency key, the wallet.
create or replace function pgwallet.withdraw(
  p_wallet_id bigint,
  p_amount numeric,
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (transaction_id bigint, balance numeric, replayed boolean)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select p.transaction_id, p.balance, p.replayed
  from pgwallet._pay_outside(
    'withdrawal', 'wallet', p_wallet_id, p_amount, p_idempotency_key, p_metadata, p_effective_at
  ) as p;
end;
$function$;

comment on function pgwallet.withdraw(bigint, numeric, text, jsonb, timestamptz) is
'Pays money out of a wallet to the outside. '
'Raises: PW001, PW002, PW101, PW201, PW203, PW208, PW209.';
