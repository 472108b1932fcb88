-- Locks the next escrows of a project in which anything is left, by id: those that are free, or
-- with p_wait those that others hold, too.
create or replace function pgwallet._lock_escrows(
  p_project_id bigint,
  p_limit integer,
  p_after_escrow_id bigint,
  p_wait boolean
)
returns setof pgwallet.escrow
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_wait then
    return query
    select e.*
    from pgwallet.escrow as e
    where e.project_id = p_project_id and e.escrow_id > coalesce(p_after_escrow_id, 0)
      and e.status = 'locked'
    order by e.escrow_id
    limit p_limit
    for no key update;
  else
    return query
    select e.*
    from pgwallet.escrow as e
    where e.project_id = p_project_id and e.escrow_id > coalesce(p_after_escrow_id, 0)
      and e.status = 'locked'
    order by e.escrow_id
    limit p_limit
    for no key update skip locked;
  end if;
end;
$function$;

comment on function pgwallet._lock_escrows(bigint, integer, bigint, boolean) is
'Locks the next escrows of a project in which anything is left.';
