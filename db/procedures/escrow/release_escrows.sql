-- Releases one batch of a succeeded project's escrows, leaving out those that others hold.
--
-- Locks, in order: the escrows by id, the project's account.
create or replace function pgwallet.release_escrows(
  p_project_id bigint,
  p_limit integer default 100,
  p_after_escrow_id bigint default 0
)
returns table (
  escrow_count integer, gross_amount numeric, commission_amount numeric, fee_amount numeric,
  net_amount numeric, last_escrow_id bigint, transaction_id bigint, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select
    b.escrow_count, b.gross_amount, b.commission_amount, b.fee_amount,
    b.net_amount, b.last_escrow_id, b.transaction_id, b.replayed
  from pgwallet._release_batch(p_project_id, p_limit, p_after_escrow_id, false) as b;
end;
$function$;

comment on function pgwallet.release_escrows(bigint, integer, bigint) is
'Releases one batch of a succeeded project''s escrows. Raises: PW002, PW103, PW205.';
