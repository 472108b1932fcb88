-- Keeps a project from being closed until the transaction ends, and returns its status.
--
-- Locks: a share of the project's advisory lock, which close_project takes alone. Under
-- repeatable read and above an old snapshot would still show an open project: there the row is
-- shared too, which fails with 40001 once it has changed.
create or replace function pgwallet._hold_project(p_project_id bigint)
returns pgwallet.project_status
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_status pgwallet.project_status;
begin
  perform pg_advisory_xact_lock_shared(hashint8extended(p_project_id, 0));
  if current_setting('transaction_isolation') = 'read committed' then
    select p.status into v_status from pgwallet.project as p where p.project_id = p_project_id;
  else
    select p.status into v_status
    from pgwallet.project as p where p.project_id = p_project_id
    for share;
  end if;
  return v_status;
end;
$function$;
