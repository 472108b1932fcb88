-- One transaction: what the call was, and what it moved in all.
create or replace function pgwallet.get_transaction(p_transaction_id bigint)
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
  return query
  select s.*
  from pgwallet._show_transaction(p_transaction_id) as s;
  if not found then
    perform pgwallet._refuse_missing_transaction(p_transaction_id);
  end if;
end;
$function$;

comment on function pgwallet.get_transaction(bigint) is
'One transaction: what the call was, and what it moved in all. Raises: PW002.';
