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
  -- Only a shard has it. It runs with the rights of the owner, to whom it has to belong: anybody
  -- who may create schemas could have one of that name.
  v_check regproc := to_regproc('pgwallet_shard._check_alone');
begin
  if v_check is null then
    return;
  end if;
  if exists (
    select from pg_proc as p
    where p.oid = v_check and pg_has_role(p.proowner, current_user, 'member')
  ) then
    execute format('select %s($1, $2)', v_check) using p_function, p_transaction_id;
  end if;
end;
$function$;
