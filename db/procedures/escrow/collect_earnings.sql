-- Pays what the platform earned, as commission or fee of a currency, to the outside; never more
-- than is there, however many collect at once. To refund a release may take it below 0 later.
--
-- Locks: what _collect locks.
create or replace function pgwallet.collect_earnings(
  p_currency text,
  p_account text,
  p_amount numeric,
  p_idempotency_key text default null,
  p_metadata jsonb default null,
  p_effective_at timestamptz default null
)
returns table (transaction_id bigint, currency text, balance numeric, replayed boolean)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet._check_alone('collect_earnings');
  return query
  select c.*
  from pgwallet._collect(
    p_currency, p_account, p_amount, p_idempotency_key, p_metadata, p_effective_at, false
  ) as c;
end;
$function$;

comment on function pgwallet.collect_earnings(text, text, numeric, text, jsonb, timestamptz) is
'Pays what the platform earned to the outside. Raises: PW001, PW002, PW003, PW201, PW203.';
