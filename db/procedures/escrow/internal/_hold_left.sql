-- Locks an escrow and returns how much a refund takes of it: the amount, or without one what is
-- left. Refuses an escrow that is missing or not locked, and more than is left.
--
-- Locks: the escrow.
create or replace function pgwallet._hold_left(p_escrow_id bigint, p_amount numeric)
returns numeric
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_escrow pgwallet.escrow;
  v_left numeric;
begin
  perform pgwallet._check_escrow(p_escrow_id, p_amount);
  select e.* into v_escrow
  from pgwallet.escrow as e where e.escrow_id = p_escrow_id
  for no key update;
  v_left := v_escrow.amount - v_escrow.released_amount - v_escrow.refunded_amount;
  if v_escrow.status <> 'locked' or p_amount > v_left then
    perform pgwallet._refuse_settled(p_escrow_id, v_escrow.status, v_left, p_amount);
  end if;
  return coalesce(p_amount, v_left);
end;
$function$;
