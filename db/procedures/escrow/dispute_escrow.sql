-- Holds what is left of an escrow until resolve_dispute: nothing releases, refunds or changes it
-- meanwhile, no batch and no expiry. A disputed one stays as it is, with its first reason.
--
-- Locks: the escrow.
create or replace function pgwallet.dispute_escrow(p_escrow_id bigint, p_reason text)
returns table (
  escrow_id bigint, wallet_id bigint, project_id bigint, status text, disputed_amount numeric
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_escrow pgwallet.escrow;
begin
  perform pgwallet._check_text('reason', p_reason);
  select e.* into v_escrow
  from pgwallet.escrow as e where e.escrow_id = p_escrow_id
  for no key update;
  if not found then
    perform pgwallet._refuse_missing('escrow', p_escrow_id);
  end if;
  if v_escrow.status not in ('locked', 'disputed') then
    perform pgwallet._refuse_not_locked(p_escrow_id, v_escrow.status, 0, null);
  end if;

  if v_escrow.status = 'locked' then
    update pgwallet.escrow as e set status = 'disputed' where e.escrow_id = p_escrow_id;
    perform pgwallet._insert_event(
      'dispute_escrow', p_escrow_id, '{"status": "locked"}', '{"status": "disputed"}', p_reason
    );
  end if;

  return query
  select
    e.escrow_id, e.wallet_id, e.project_id, e.status::text,
    round(e.amount - e.released_amount - e.refunded_amount, scale(e.amount))
  from pgwallet.escrow as e
  where e.escrow_id = p_escrow_id;
end;
$function$;

comment on function pgwallet.dispute_escrow(bigint, text) is
'Holds what is left of an escrow until the dispute is resolved. Raises: PW002, PW104, PW202.';
