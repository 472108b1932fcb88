-- One escrow: whose, for which project, and where its money is.
create or replace function pgwallet.get_escrow(p_escrow_id bigint)
returns table (
  escrow_id bigint, wallet_id bigint, project_id bigint, reference text, status text,
  expired boolean, created_at timestamptz, expires_at timestamptz, currency text,
  amount numeric, locked_amount numeric, released_amount numeric, refunded_amount numeric,
  commission_amount numeric, fee_amount numeric, net_amount numeric, settled_by bigint
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
begin
  return query
  select s.*
  from pgwallet._show_escrows(array[p_escrow_id]) as s;
  if not found then
    perform pgwallet._refuse_missing('escrow', p_escrow_id);
  end if;
end;
$function$;

comment on function pgwallet.get_escrow(bigint) is
'One escrow: whose, for which project, and where its money is. Raises: PW104.';
