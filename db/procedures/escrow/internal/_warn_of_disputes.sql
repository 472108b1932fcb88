-- Warns of the escrows of a project that a dispute holds, which its batches have left out.
create or replace function pgwallet._warn_of_disputes(p_project_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_count bigint;
  v_amount numeric;
begin
  select count(*), sum(e.amount - e.released_amount - e.refunded_amount)
  into v_count, v_amount
  from pgwallet.escrow as e
  where e.project_id = p_project_id and e.status in ('locked', 'disputed')
    and e.status = 'disputed';
  if v_count > 0 then
    raise warning using
      message = format(
        'project %s: %s escrows are disputed and stay as they are, %s in all',
        p_project_id, v_count, v_amount
      ),
      detail = 'Batches leave them out.',
      hint = 'Resolve each dispute by pgwallet.resolve_dispute, then run it again.';
  end if;
end;
$function$;
