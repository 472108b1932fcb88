-- Changes what is alike on all shards when somebody updates the view of it on a router: settings or
-- currencies. A statement is one call, whether it finds one row or many.
create or replace function pgwallet_router._change_common()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  if tg_level = 'STATEMENT' then
    perform pgwallet_router._begin_call();
    return null;
  end if;
  perform pgwallet_router._call_each(
    array(select pgwallet_router._shards_from(0)),
    format(
      case tg_table_name
        when 'settings' then 'select r.error from pgwallet_remote.change_settings($1, %1$L) as r'
        else 'select r.error from pgwallet_remote.change_currency($1, %2$L, %1$L) as r'
      end,
      to_jsonb(new), to_jsonb(old) ->> 'currency'
    )
  );
  return new;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
