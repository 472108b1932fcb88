-- Moves money from a pocket back into its wallet.
--
-- Locks, in order: the idempotency key, the wallet.
create or replace function pgwallet.transfer_from_pocket(
  p_pocket_id bigint,
  p_amount numeric,
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (
  transaction_id bigint, balance numeric, wallet_balance numeric, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select t.transaction_id, t.balance, t.wallet_balance, t.replayed
  from pgwallet._move_in_wallet(
    'transfer_from_pocket', p_pocket_id, p_amount, p_idempotency_key, p_metadata, p_effective_at
  ) as t;
end;
$function$;

comment on function pgwallet.transfer_from_pocket(bigint, numeric, text, jsonb, timestamptz) is
'Moves money from a pocket back into its wallet. '
'Raises: PW001, PW002, PW102, PW201, PW203, PW209.';
