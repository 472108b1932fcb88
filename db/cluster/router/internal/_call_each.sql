-- Makes a call on each of these shards: p_call is a query for its error, with the shard as $1. What
-- has told its event on another shard by then, with who asked, passes nobody on (p_caller).
--
-- All are tried; those that were not reached or gave no answer are named in the end, as
-- _refuse_failed does.
create or replace function pgwallet_router._call_each(p_shards integer[], p_call text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_shard integer;
  v_error text[];
  v_failure text;
  v_failed text[] := '{}';
begin
  foreach v_shard in array p_shards loop
    begin
      execute p_call into v_error using v_shard;
      if v_error is not null then
        perform pgwallet_router._raise(v_error);
      end if;
    exception when others then
      v_failure := pgwallet_router._failure_of(sqlstate, sqlerrm);
      if v_failure is null then
        raise;
      end if;
      v_failed := v_failed || format('%s %s', v_shard, v_failure);
    end;
  end loop;
  perform pgwallet_router._refuse_failed(v_failed);
end;
$function$;
