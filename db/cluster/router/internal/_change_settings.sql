-- Changes the settings on all shards, when somebody updates the view of them on a router.
create or replace function pgwallet_router._change_settings()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform pgwallet_router._call_each(
    array(select pgwallet_router._shards_from(0)),
    format('select r.error from pgwallet_remote.change_settings($1, %L) as r', to_jsonb(new))
  );
  return new;
end;
$function$;
