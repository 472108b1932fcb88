-- Changes the settings on all shards, when somebody updates the view of them on a router.
create or replace function pgwallet_router._change_settings()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_shard integer;
  v_failed text[] := '{}';
begin
  for v_shard in select s.shard from pgwallet_router._shards_from(0) as s (shard) loop
    begin
      perform
      from pgwallet_remote.change_settings(v_shard, to_jsonb(new)) as r
      where r.error is null or pgwallet_router._raise(r.error);
    exception when others then
      if pgwallet_router._failure_of(sqlstate, sqlerrm) is null then
        raise;
      end if;
      v_failed := v_failed || format(
        '%s %s', v_shard, pgwallet_router._failure_of(sqlstate, sqlerrm)
      );
    end;
  end loop;
  perform pgwallet_router._refuse_failed(v_failed);
  return new;
end;
$function$;
