-- Refunds one batch of a failed project's escrows, leaving out those that others hold.
--
-- Locks, in order: the escrows by id, the wallets by id.
create or replace function pgwallet.refund_escrows(
  p_project_id bigint,
  p_limit integer default 100,
  p_after_escrow_id bigint default 0
)
returns table (
  escrow_count integer, refunded_amount numeric, last_escrow_id bigint,
  transaction_id bigint, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select b.escrow_count, b.refunded_amount, b.last_escrow_id, b.transaction_id, b.replayed
  from pgwallet._refund_batch(p_project_id, p_limit, p_after_escrow_id, false) as b;
end;
$function$;

comment on function pgwallet.refund_escrows(bigint, integer, bigint) is
'Refunds one batch of a failed project''s escrows. Raises: PW002, PW103, PW205.';
