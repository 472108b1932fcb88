-- Refuses a malformed key or time, which most calls that move money may carry.
create or replace function pgwallet._check_call(p_idempotency_key text, p_effective_at timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_idempotency_key is not null then
    perform pgwallet._check_text('idempotency_key', p_idempotency_key);
  end if;
  perform pgwallet._check_time('effective_at', p_effective_at);
end;
$function$;
