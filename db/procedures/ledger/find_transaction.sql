-- The transaction that used an idempotency key, as get_transaction shows it; no row if none did.
create or replace function pgwallet.find_transaction(p_idempotency_key text)
returns table (
  transaction_id bigint, kind text, escrow_id bigint, idempotency_key text, metadata jsonb,
  created_at timestamptz, effective_at timestamptz, posting_count bigint, currency text,
  amount numeric, reversed_transaction_id bigint, reversed_by bigint
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
begin
  perform pgwallet._check_text('idempotency_key', p_idempotency_key);
  return query
  select s.*
  from pgwallet.transaction as t
  cross join lateral pgwallet._show_transaction(t.transaction_id) as s
  where t.idempotency_key = p_idempotency_key collate "C";
end;
$function$;

comment on function pgwallet.find_transaction(text) is
'The transaction that used this key, or no row. Raises: PW002.';
