-- Locks the next escrows of a project in which anything is left, also those that others hold. Given
-- a time, it leaves out those that had expired by then. A select skips locked rows or does not,
-- whatever its parameters: so a batch that waits calls this first, and its own statement, which
-- skips, then takes what this has locked.
--
-- Locks: the escrows by id.
create or replace function pgwallet._wait_for_escrows(
  p_project_id bigint,
  p_limit integer,
  p_after_escrow_id bigint,
  p_expired_until timestamptz
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform
  from pgwallet.escrow as e
  where e.project_id = p_project_id and e.escrow_id > coalesce(p_after_escrow_id, 0)
    and e.status = 'locked' and (e.expires_at <= p_expired_until) is not true
  order by e.escrow_id
  limit p_limit
  for no key update;
end;
$function$;
