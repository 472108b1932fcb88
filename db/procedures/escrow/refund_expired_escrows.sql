-- Refunds one batch of escrows that expired before their project succeeded, if it did. The amount
-- is null if the batch spans several currencies, which cannot be added up.
--
-- Locks each escrow with its wallet and shares the row of its project, waiting for none of them. No
-- advisory lock: for a batch over many projects a server has no room for those.
-- Plans are made once and walk along indexes, an escrow at a time: that suits any size.
create or replace function pgwallet.refund_expired_escrows(p_limit integer default 100)
returns table (
  escrow_count integer, refunded_amount numeric, last_escrow_id bigint,
  transaction_id bigint, replayed boolean, currency text
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
  -- Read once: an index cannot be walked up to a time that goes on.
  v_now timestamptz := clock_timestamp();
  v_escrows tid[];
  v_wallets tid[];
  v_source_ids bigint[];
  v_wallet_ids bigint[];
  v_amounts numeric[];
  v_balances numeric[];
  v_amount numeric;
  v_last_escrow_id bigint;
  v_currencies text[];
  v_transaction_id bigint;
begin
  perform pgwallet._check_limit(p_limit);

  -- The wallet is tried first: one that is held may have pledged often, and of what is left out
  -- nothing should stay locked. What a row holds is read as it is once it is locked.
  select
    array_agg(b.escrow), array_agg(b.wallet), array_agg(b.source_id), array_agg(b.wallet_id),
    array_agg(b.amount), array_agg(b.balance), sum(b.amount), max(b.escrow_id),
    array_agg(distinct b.currency)
  into
    v_escrows, v_wallets, v_source_ids, v_wallet_ids,
    v_amounts, v_balances, v_amount, v_last_escrow_id,
    v_currencies
  from (
    select
      l.escrow, l.wallet, l.escrow_id, l.source_id, l.wallet_id, l.amount, l.currency,
      l.balance + sum(l.amount) over (partition by l.wallet_id order by l.escrow_id) as balance
    from (
      select
        e.ctid as escrow, a.ctid as wallet, e.escrow_id, p.escrow_account_id as source_id,
        e.wallet_id, e.amount - e.released_amount - e.refunded_amount as amount, a.balance,
        p.currency
      from pgwallet.escrow as e
      inner join pgwallet.project as p on p.project_id = e.project_id
      inner join pgwallet.account as a on a.account_id = e.wallet_id
      where e.status = 'locked' and e.expires_at <= v_now
        and (p.status <> 'succeeded' or e.expires_at <= p.closed_at)
      order by e.expires_at, e.escrow_id
      limit p_limit
      for no key update of a skip locked
      for share of p skip locked
      for no key update of e skip locked
    ) as l
    order by l.escrow_id
  ) as b;

  if v_escrows is not null then
    insert into pgwallet.transaction as t (kind)
    values ('refund')
    returning t.transaction_id into v_transaction_id;
    perform pgwallet._refund(
      v_transaction_id, v_escrows, v_wallets, v_source_ids, v_wallet_ids, v_amounts, v_balances, true
    );
  end if;

  return query
  select
    coalesce(cardinality(v_escrows), 0),
    case coalesce(cardinality(v_currencies), 0)
      when 0 then 0
      when 1 then round(v_amount, pgwallet._find_exponent(v_currencies[1]))
    end,
    coalesce(v_last_escrow_id, 0),
    v_transaction_id,
    false,
    case cardinality(v_currencies) when 1 then v_currencies[1] end;
end;
$function$;

comment on function pgwallet.refund_expired_escrows(integer) is
'Refunds one batch of escrows that expired before a success. Raises: PW002.';
