-- Whether so many escrows of a project hold something that it is better to read what was posted
-- since the last seal, where there is one.
create or replace function pgwallet._has_many_locked(p_escrow_account_id bigint)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
begin
  return exists (
    select
    from pgwallet.project as p
    inner join pgwallet.escrow as e on e.project_id = p.project_id
      and e.status in ('locked', 'disputed')
    where p.escrow_account_id = p_escrow_account_id
    offset 2000
    limit 1
  ) and exists (select from pgwallet.seal as s);
end;
$function$;
