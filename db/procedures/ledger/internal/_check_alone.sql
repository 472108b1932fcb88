-- Refuses on a shard of a cluster what has to be done on all of them, where no router does it.
-- Elsewhere returns at once. A transaction given is refused only if it is a part of what several
-- shards did.
create or replace function pgwallet._check_alone(
  p_function text,
  p_transaction_id bigint default null
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  -- Only a shard has it.
  v_check regproc := to_regproc('pgwallet_shard._check_alone');
begin
  if v_check is not null then
    execute format('select %s($1, $2)', v_check) using p_function, p_transaction_id;
  end if;
end;
$function$;
