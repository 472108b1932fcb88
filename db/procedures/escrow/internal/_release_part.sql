-- Releases a part of an escrow, or the rest of one of which something was taken before, to its
-- project; refuses what cannot be released. Commission and fee are so much that all parts together
-- come to what one release of the whole would.
--
-- Locks, in order: the escrow, a share of the project, the project's account.
create or replace function pgwallet._release_part(
  p_transaction_id bigint,
  p_escrow_id bigint,
  p_amount numeric,
  out project_id bigint,
  out amount numeric,
  out commission numeric,
  out fee numeric,
  out net numeric,
  out status text
)
returns record
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_escrow pgwallet.escrow;
  v_status pgwallet.project_status;
  v_project pgwallet.project;
  v_exponent integer;
  v_left numeric;
begin
  perform pgwallet._check_escrow(p_escrow_id, p_amount);
  select e.* into v_escrow
  from pgwallet.escrow as e where e.escrow_id = p_escrow_id
  for no key update;
  project_id := v_escrow.project_id;
  v_status := pgwallet._hold_project(project_id);
  if v_status = 'failed' then
    perform pgwallet._refuse_status(project_id, v_status, 'succeeded');
  end if;
  select p.* into v_project from pgwallet.project as p where p.project_id = v_escrow.project_id;
  if v_escrow.status = 'locked'
    and v_escrow.expires_at <= coalesce(v_project.closed_at, clock_timestamp())
  then
    perform pgwallet._refuse_expired(p_escrow_id, v_escrow.expires_at, v_project.closed_at);
  end if;
  v_exponent := scale(v_escrow.amount);
  v_left := v_escrow.amount - v_escrow.released_amount - v_escrow.refunded_amount;
  amount := round(coalesce(p_amount, v_left), v_exponent);
  if v_escrow.status <> 'locked' or amount > v_left then
    perform pgwallet._refuse_settled(p_escrow_id, v_escrow.status, v_left, p_amount);
  end if;

  commission := pgwallet._apply_rate(
    amount, v_escrow.released_amount, v_escrow.commission_amount,
    v_project.commission_rate, v_exponent
  );
  fee := least(
    amount - commission,
    pgwallet._apply_rate(
      amount, v_escrow.released_amount, v_escrow.fee_amount - v_project.fee_fixed,
      v_project.fee_rate, v_exponent
    )
  );
  net := amount - commission - fee;
  status := pgwallet._escrow_status(
    v_escrow.amount, v_escrow.released_amount + amount, v_escrow.refunded_amount
  );

  update pgwallet.escrow as e
  set
    released_amount = e.released_amount + _release_part.amount,
    commission_amount = e.commission_amount + _release_part.commission,
    fee_amount = e.fee_amount + _release_part.fee,
    net_amount = e.net_amount + _release_part.net,
    status = _release_part.status,
    settled_by = case when _release_part.amount = v_left then p_transaction_id end
  where e.escrow_id = p_escrow_id;
  perform pgwallet._post_release(p_transaction_id, project_id, net, commission, fee);
end;
$function$;
