-- Changes what is alike on all shards when somebody updates the view of it on a router: settings or
-- currencies. A statement is one call, whether it finds one row or many. The first shard tells who.
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
      'select r.error from pgwallet_remote.%s, case when $1 = 0 then session_user end) as r',
      case tg_table_name
        when 'settings' then format('change_settings($1, %L', to_jsonb(new))
        else format('change_currency($1, %L, %L', to_jsonb(old) ->> 'currency', to_jsonb(new))
      end
    )
  );
  return new;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
