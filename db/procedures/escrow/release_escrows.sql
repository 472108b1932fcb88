-- Releases one batch of a succeeded project's escrows that had not expired by then: those that
-- nobody holds, or with p_wait also those that others hold, once they have ended; the last such
-- call warns of what disputes hold.
--
-- Locks, in order: the escrows by id, the project's account; a closed project stays as it is. Its
-- plans, made once, walk along indexes whatever the size of the tables.
create or replace function pgwallet.release_escrows(
  p_project_id bigint,
  p_limit integer default 100,
  p_after_escrow_id bigint default 0,
  p_wait boolean default false
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
set jit = off
as $function$
declare
  v_project pgwallet.project;
  v_exponent integer;
  v_untouched tid[];
  v_begun tid[];
  v_last_escrow_id bigint;
  v_count integer := 0;
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
  v_exponent := pgwallet._find_exponent(v_project.currency);
  if p_wait then
    perform pgwallet._wait_for_escrows(
      p_project_id, p_limit, p_after_escrow_id, v_project.closed_at
    );
  end if;

  -- A locked row stays where it is: the updates go there, without an index and without a join.
  select
    array_agg(l.place) filter (where l.untouched),
    array_agg(l.place) filter (where not l.untouched),
    max(l.escrow_id)
  into v_untouched, v_begun, v_last_escrow_id
  from (
    select
      e.ctid as place, e.escrow_id,
      e.released_amount = 0 and e.refunded_amount = 0 as untouched
    from pgwallet.escrow as e
    where e.project_id = p_project_id and e.escrow_id > coalesce(p_after_escrow_id, 0)
      and e.status = 'locked' and (e.expires_at <= v_project.closed_at) is not true
    order by e.escrow_id
    limit p_limit
    for no key update skip locked
  ) as l;

  if v_last_escrow_id is not null then
    insert into pgwallet.transaction as t (settled_count, kind)
    values (
      coalesce(cardinality(v_untouched), 0) + coalesce(cardinality(v_begun), 0), 'release'
    )
    returning t.transaction_id into v_transaction_id;

    with released as (
      -- What _apply_rate comes to where nothing was released or refunded before, in a third of the time.
      update pgwallet.escrow as e
      set
        released_amount = e.amount,
        commission_amount = round(e.amount * v_project.commission_rate, v_exponent),
        fee_amount = least(
          e.amount - round(e.amount * v_project.commission_rate, v_exponent),
          round(e.amount * v_project.fee_rate, v_exponent) + v_project.fee_fixed
        ),
        net_amount = greatest(
          0,
          e.amount - round(e.amount * v_project.commission_rate, v_exponent)
          - round(e.amount * v_project.fee_rate, v_exponent) - v_project.fee_fixed
        ),
        status = 'released',
        settled_by = v_transaction_id
      where e.ctid = any (v_untouched)
      returning e.amount, e.commission_amount as commission, e.fee_amount as fee
    ),

    released_further as (
      update pgwallet.escrow as e
      set
        released_amount = e.released_amount + p.amount,
        commission_amount = e.commission_amount + p.commission,
        fee_amount = e.fee_amount + p.fee,
        net_amount = e.net_amount + p.amount - p.commission - p.fee,
        status = pgwallet._escrow_status(e.amount, e.released_amount + p.amount, e.refunded_amount),
        settled_by = v_transaction_id
      from (
        select
          l.escrow_id, l.amount, l.commission,
          least(
            l.amount - l.commission,
            pgwallet._apply_rate(
              l.amount, l.released_amount, l.fee_amount - v_project.fee_fixed,
              v_project.fee_rate, v_exponent
            )
          ) as fee
        from (
          select
            k.escrow_id, k.amount, k.released_amount, k.fee_amount,
            pgwallet._apply_rate(
              k.amount, k.released_amount, k.commission_amount,
              v_project.commission_rate, v_exponent
            ) as commission
          from (
            select
              b.escrow_id, b.released_amount, b.commission_amount, b.fee_amount,
              b.amount - b.released_amount - b.refunded_amount as amount
            from pgwallet.escrow as b
            where b.ctid = any (v_begun)
          ) as k
        ) as l
      ) as p
      where e.escrow_id = p.escrow_id
      returning p.amount, p.commission, p.fee
    )

    select count(*), sum(r.amount), sum(r.commission), sum(r.fee)
    into v_count, v_gross, v_commission, v_fee
    from (
      select w.amount, w.commission, w.fee from released as w
      union all
      select f.amount, f.commission, f.fee from released_further as f
    ) as r;

    perform pgwallet._post_release(
      v_transaction_id, p_project_id, v_gross - v_commission - v_fee, v_commission, v_fee
    );
  elsif p_wait then
    perform pgwallet._warn_of_disputes(p_project_id);
  end if;

  return query
  select
    v_count,
    round(coalesce(v_gross, 0), v_exponent),
    round(coalesce(v_commission, 0), v_exponent),
    round(coalesce(v_fee, 0), v_exponent),
    round(coalesce(v_gross - v_commission - v_fee, 0), v_exponent),
    coalesce(v_last_escrow_id, p_after_escrow_id, 0),
    v_transaction_id,
    false;
end;
$function$;

comment on function pgwallet.release_escrows(bigint, integer, bigint, boolean) is
'Releases one batch of a succeeded project''s escrows. Raises: PW002, PW103, PW205.';
