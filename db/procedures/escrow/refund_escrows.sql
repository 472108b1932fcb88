-- Refunds one batch of a failed project's escrows: those that nobody holds, neither them nor their
-- wallets, or with p_wait also those that others hold, once they have ended; the last such call
-- warns of what disputes hold.
--
-- Locks, in order: with p_wait the escrows by id, then the wallets by id; without, each wallet with
-- its escrow, waiting for none. Plans are made once, along indexes: that suits any size.
create or replace function pgwallet.refund_escrows(
  p_project_id bigint,
  p_limit integer default 100,
  p_after_escrow_id bigint default 0,
  p_wait boolean default false
)
returns table (
  escrow_count integer, refunded_amount numeric, last_escrow_id bigint,
  transaction_id bigint, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $function$
declare
  v_project pgwallet.project;
  v_escrows tid[];
  v_wallets tid[];
  v_wallet_ids bigint[];
  v_amounts numeric[];
  v_balances numeric[];
  v_amount numeric;
  v_last_escrow_id bigint;
  v_transaction_id bigint;
begin
  perform pgwallet._check_limit(p_limit);
  select p.* into v_project from pgwallet.project as p where p.project_id = p_project_id;
  if not found then
    perform pgwallet._refuse_missing('project', p_project_id);
  end if;
  if v_project.status <> 'failed' then
    perform pgwallet._refuse_status(p_project_id, v_project.status, 'failed');
  end if;

  if p_wait then
    perform pgwallet._wait_for_escrows(p_project_id, p_limit, p_after_escrow_id, null);
    perform pgwallet._wait_for_wallets(p_project_id, p_limit, p_after_escrow_id);
  end if;

  -- The wallet is tried first: one that is held may have pledged often, and of what is left out
  -- nothing should stay locked. What a row holds is read as it is once it is locked.
  select
    array_agg(b.escrow), array_agg(b.wallet), array_agg(b.wallet_id), array_agg(b.amount),
    array_agg(b.balance), sum(b.amount), max(b.escrow_id)
  into
    v_escrows, v_wallets, v_wallet_ids, v_amounts,
    v_balances, v_amount, v_last_escrow_id
  from (
    select
      l.escrow, l.wallet, l.escrow_id, l.wallet_id, l.amount,
      l.balance + sum(l.amount) over (partition by l.wallet_id order by l.escrow_id) as balance
    from (
      select
        e.ctid as escrow, a.ctid as wallet, e.escrow_id, e.wallet_id,
        e.amount - e.released_amount - e.refunded_amount as amount, a.balance
      from pgwallet.escrow as e
      inner join pgwallet.account as a on a.account_id = e.wallet_id
      where e.project_id = p_project_id and e.escrow_id > coalesce(p_after_escrow_id, 0)
        and e.status = 'locked'
      order by e.escrow_id
      limit p_limit
      for no key update of a skip locked
      for no key update of e skip locked
    ) as l
    order by l.escrow_id
  ) as b;

  if v_escrows is not null then
    insert into pgwallet.transaction as t (kind)
    values ('refund')
    returning t.transaction_id into v_transaction_id;
    perform pgwallet._refund(
      v_transaction_id, v_escrows, v_wallets,
      array_fill(v_project.escrow_account_id, array[cardinality(v_escrows)]), v_wallet_ids,
      v_amounts, v_balances, false
    );
  elsif p_wait then
    perform pgwallet._warn_of_disputes(p_project_id);
  end if;

  return query
  select
    coalesce(cardinality(v_escrows), 0),
    round(coalesce(v_amount, 0), pgwallet._find_exponent(v_project.currency)),
    coalesce(v_last_escrow_id, p_after_escrow_id, 0),
    v_transaction_id,
    false;
end;
$function$;

comment on function pgwallet.refund_escrows(bigint, integer, bigint, boolean) is
'Refunds one batch of a failed project''s escrows. Raises: PW002, PW103, PW205.';
