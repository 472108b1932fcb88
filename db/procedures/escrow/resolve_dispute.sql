-- Ends the dispute of an escrow: upheld refunds what is left, rejected locks it again, for whatever
-- the project's end makes of it.
--
-- Locks, in order: the escrow, the wallet.
create or replace function pgwallet.resolve_dispute(p_escrow_id bigint, p_outcome text)
returns table (
  transaction_id bigint, escrow_id bigint, wallet_id bigint, refunded_amount numeric,
  status text, balance numeric, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_escrow pgwallet.escrow;
  v_left numeric;
  v_transaction_id bigint;
begin
  if (p_outcome in ('upheld', 'rejected')) is not true then
    raise exception using
      errcode = 'PW002',
      message = format('outcome %s is unknown', coalesce(quote_literal(left(p_outcome, 200)), 'null')),
      detail = 'A dispute ends as upheld or rejected.',
      hint = 'Pass upheld to refund what is left, rejected to lock it again.';
  end if;
  select e.* into v_escrow
  from pgwallet.escrow as e where e.escrow_id = p_escrow_id
  for no key update;
  if not found then
    perform pgwallet._refuse_missing('escrow', p_escrow_id);
  end if;
  if v_escrow.status <> 'disputed' then
    raise exception using
      errcode = 'PW202',
      message = format('escrow %s is not disputed', p_escrow_id),
      detail = format('Its status is %s.', v_escrow.status),
      hint = 'Only a dispute that dispute_escrow began can be resolved, and once.';
  end if;

  v_left := v_escrow.amount - v_escrow.released_amount - v_escrow.refunded_amount;
  if p_outcome = 'rejected' then
    update pgwallet.escrow as e set status = 'locked' where e.escrow_id = p_escrow_id;
  else
    insert into pgwallet.transaction as t (kind, escrow_id)
    values ('refund', p_escrow_id)
    returning t.transaction_id into v_transaction_id;
    perform pgwallet._refund_left(v_transaction_id, p_escrow_id, false);
  end if;
  perform pgwallet._insert_event(
    'resolve_dispute', p_escrow_id, '{"status": "disputed"}',
    (
      select jsonb_build_object('status', e.status, 'outcome', p_outcome)
      from pgwallet.escrow as e where e.escrow_id = p_escrow_id
    )
  );

  return query
  select
    v_transaction_id, e.escrow_id, e.wallet_id,
    round(case p_outcome when 'upheld' then v_left else 0 end, scale(e.amount)),
    e.status::text, a.balance, false
  from pgwallet.escrow as e
  inner join pgwallet.account as a on a.account_id = e.wallet_id
  where e.escrow_id = p_escrow_id;
end;
$function$;

comment on function pgwallet.resolve_dispute(bigint, text) is
'Ends a dispute: upheld refunds what is left, rejected locks it again. '
'Raises: PW002, PW104, PW202.';
