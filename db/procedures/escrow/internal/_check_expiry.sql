-- Refuses an expiry that clients cannot hold, or one in the past. A call with a key asks once it
-- has claimed that: a repeated one may well come after the expiry.
create or replace function pgwallet._check_expiry(p_expires_at timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet._check_time('expires_at', p_expires_at);
  if p_expires_at <= clock_timestamp() then
    raise exception using
      errcode = 'PW002',
      message = 'expires_at is in the past',
      detail = format('It is %s, now is %s.', p_expires_at, clock_timestamp()),
      hint = 'Pass a time to come, or null for a pledge that never expires.';
  end if;
end;
$function$;
