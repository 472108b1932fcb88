-- Releases one batch of a succeeded project's escrows; with p_wait, also those that others hold.
-- Operators may call it, for the procedure and the drivers.
--
-- Locks, in order: the escrows by id, the project's account; a closed project stays as it is.
-- Its plans, made once, walk along indexes whatever the size of the tables.
create or replace function pgwallet._release_batch(
  p_project_id bigint,
  p_limit integer,
  p_after_escrow_id bigint,
  p_wait boolean
)
returns table (
  escrow_count integer, gross_amount numeric, commission_amount numeric, fee_amount numeric,
  net_amount numeric, last_escrow_id bigint, transaction_id bigint, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_nestloop = off
set jit = off
as $function$
declare
  v_project pgwallet.project;
  v_exponent integer;
  v_escrow_ids bigint[];
  v_amounts numeric[];
  v_commissions numeric[];
  v_fees numeric[];
  v_gross numeric;
  v_commission numeric;
  v_fee numeric;
  v_transaction_id bigint;
begin
  perform pgwallet._check_limit(p_limit);
  select p.* into v_project from pgwallet.project as p where p.project_id = p_project_id;
  if not found then
    perform pgwallet._refuse_missing('project', p_project_id);
  end if;
  if v_project.status <> 'succeeded' then
    perform pgwallet._refuse_status(p_project_id, v_project.status, 'succeeded');
  end if;
  v_exponent := pgwallet._exponent(v_project.currency);

  -- The same parts as in release_escrow, written out: a call for each would double the time.
  with part as (
    select
      l.escrow_id, l.amount, l.released_amount, l.fee_amount,
      greatest(0, least(l.amount,
        round((l.released_amount + l.amount) * v_project.commission_rate, v_exponent)
        - l.commission_amount
      )) as commission
    from (
      select
        e.escrow_id, e.released_amount, e.commission_amount, e.fee_amount,
        e.amount - e.released_amount - e.refunded_amount as amount
      from pgwallet._lock_escrows(p_project_id, p_limit, p_after_escrow_id, p_wait) as e
    ) as l
  ),

  parts as (
    select
      p.escrow_id, p.amount, p.commission,
      greatest(0, least(p.amount - p.commission,
        round((p.released_amount + p.amount) * v_project.fee_rate, v_exponent) - p.fee_amount
      )) as fee
    from part as p
  )

  select
    array_agg(p.escrow_id), array_agg(p.amount), array_agg(p.commission), array_agg(p.fee),
    sum(p.amount), sum(p.commission), sum(p.fee)
  into v_escrow_ids, v_amounts, v_commissions, v_fees, v_gross, v_commission, v_fee
  from parts as p;

  if v_escrow_ids is not null then
    update pgwallet.escrow as e
    set
      released_amount = e.released_amount + u.amount,
      commission_amount = e.commission_amount + u.commission,
      fee_amount = e.fee_amount + u.fee,
      net_amount = e.net_amount + u.amount - u.commission - u.fee,
      status = case
        when e.refunded_amount = 0 then 'released'::pgwallet.escrow_status
        else 'settled'::pgwallet.escrow_status
      end
    from unnest(v_escrow_ids, v_amounts, v_commissions, v_fees)
      as u (escrow_id, amount, commission, fee)
    -- More than the ids alone say: so one walk along the index finds all rows.
    where e.escrow_id = u.escrow_id
      and e.project_id = p_project_id and e.status = 'locked'
      and e.escrow_id between v_escrow_ids[1] and v_escrow_ids[cardinality(v_escrow_ids)];

    insert into pgwallet.transaction as t (kind)
    values ('release')
    returning t.transaction_id into v_transaction_id;
    perform pgwallet._post_release(
      v_transaction_id, p_project_id, v_gross - v_commission - v_fee, v_commission, v_fee
    );
  end if;

  return query
  select
    coalesce(cardinality(v_escrow_ids), 0),
    round(coalesce(v_gross, 0), v_exponent),
    round(coalesce(v_commission, 0), v_exponent),
    round(coalesce(v_fee, 0), v_exponent),
    round(coalesce(v_gross - v_commission - v_fee, 0), v_exponent),
    coalesce(v_escrow_ids[cardinality(v_escrow_ids)], p_after_escrow_id, 0),
    v_transaction_id,
    false;
end;
$function$;

comment on function pgwallet._release_batch(bigint, integer, bigint, boolean) is
'Releases one batch of a succeeded project''s escrows. Raises: PW002, PW103, PW205.';
