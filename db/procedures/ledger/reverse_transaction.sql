-- Takes back a deposit, withdrawal, payout, allocation or transfer, whole and once: posts each of
-- its postings the other way round. A correction by an operator: frozen accounts take part.
--
-- Locks: what _reverse locks.
create or replace function pgwallet.reverse_transaction(
  p_transaction_id bigint,
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (
  transaction_id bigint, reversed_transaction_id bigint, kind text, amount numeric,
  currency text, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet._check_alone('reverse_transaction', p_transaction_id);
  return query
  select r.*
  from pgwallet._reverse(
    p_transaction_id, p_idempotency_key, p_metadata, p_effective_at, false
  ) as r;
end;
$function$;

comment on function pgwallet.reverse_transaction(bigint, text, jsonb, timestamptz) is
'Takes back a deposit, withdrawal, payout, allocation or transfer, whole and once. '
'Raises: PW002, PW201, PW203, PW207, PW209.';
