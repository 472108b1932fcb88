-- Refuses each change of a database that was a shard, and is one no more.
create or replace function pgwallet_shard._refuse_moved()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = '25006',
    message = (
      select format('shard %s of cluster %s has moved to another database', i.shard, i.cluster)
      from pgwallet_shard.identity as i
    ),
    detail = 'What was here is there; here nothing changes any more.',
    hint = 'Ask a router where the shard is now, and connect there.';
end;
$function$;
