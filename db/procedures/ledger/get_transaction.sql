-- One transaction: what the call was, and what it moved in all.
create or replace function pgwallet.get_transaction(p_transaction_id bigint)
returns table (
  transaction_id bigint, kind text, escrow_id bigint, idempotency_key text, metadata jsonb,
  created_at timestamptz, effective_at timestamptz, posting_count bigint, currency text,
  amount numeric
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
    raise exception using
      errcode = 'PW002',
      message = format('transaction %s does not exist', coalesce(p_transaction_id::text, 'null')),
      detail = 'No call that was committed has this id.',
      hint = 'Use the transaction_id that a call returned, or find_transaction with its key.';
  end if;
end;
$function$;

comment on function pgwallet.get_transaction(bigint) is
'One transaction: what the call was, and what it moved in all. Raises: PW002.';
