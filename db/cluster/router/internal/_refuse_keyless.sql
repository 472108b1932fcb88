-- Refuses what several shards have to do for a call without a key, which could not go on with it.
create or replace function pgwallet_router._refuse_keyless(p_what text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = 'PW002',
    message = format('%s takes several shards, and has no idempotency key', p_what),
    detail = 'Broken off between two shards, only a key completes it.',
    hint = 'Pass an idempotency key.';
end;
$function$;
