-- Posts each posting of a transaction the other way round, whole and once. Where a cluster undoes a
-- part of a call that several shards did, closed wallets get back what they sent, as by a refund.
--
-- Locks, in order: the idempotency key and the reversed transaction, so that other reversals of it
-- wait; the wallets by id, whose locks guard their pockets, or the project's account.
create or replace function pgwallet._reverse(
  p_transaction_id bigint,
  p_idempotency_key text,
  p_metadata jsonb,
  p_effective_at timestamptz,
  p_is_undoing boolean
)
returns table (
  transaction_id bigint, reversed_transaction_id bigint, kind text, amount numeric,
  currency text, replayed boolean
)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
declare
  v_request text;
  v_transaction_id bigint;
  v_account_ids bigint[];
begin
  perform pgwallet._check_call(p_idempotency_key, p_metadata, p_effective_at);
  if not exists (
    select from pgwallet.transaction as t where t.transaction_id = p_transaction_id
  ) then
    perform pgwallet._refuse_missing_transaction(p_transaction_id);
  end if;
  if p_idempotency_key is not null then
    v_request := format('reverse_transaction(%s)', p_transaction_id);
  end if;

  insert into pgwallet.transaction as t (
    kind, reversed_transaction_id, idempotency_key, request, metadata, effective_at
  )
  values (
    'reversal', p_transaction_id, p_idempotency_key, v_request, p_metadata, p_effective_at
  )
  on conflict do nothing
  returning t.transaction_id into v_transaction_id;
  if v_transaction_id is null then
    return query
    select r.transaction_id, p_transaction_id, s.kind, s.amount, s.currency, true
    from pgwallet.transaction as r
    cross join lateral pgwallet._show_transaction(p_transaction_id) as s
    where r.idempotency_key = p_idempotency_key collate "C" and r.request = v_request;
    if found then
      return;
    end if;
    if exists (
      select
      from pgwallet.transaction as t
      where t.idempotency_key = p_idempotency_key collate "C"
    ) then
      perform pgwallet._refuse_key(p_idempotency_key, v_request);
    end if;
    perform pgwallet._check_reversal(p_transaction_id, null, p_is_undoing);

    -- Neither the key nor the reversed transaction was in the way. This says what was.
    insert into pgwallet.transaction as t (
      kind, reversed_transaction_id, idempotency_key, request, metadata, effective_at
    )
    values (
      'reversal', p_transaction_id, p_idempotency_key, v_request, p_metadata, p_effective_at
    )
    returning t.transaction_id into v_transaction_id;
    if v_transaction_id is null then
      perform pgwallet._refuse_key(p_idempotency_key, v_request);
    end if;
  end if;

  select array_agg(coalesce(k.wallet_id, m.account_id))
  into v_account_ids
  from pgwallet.transaction as t
  inner join pgwallet.posting as p on p.transaction_id = t.transaction_id
  cross join lateral (
    values (p.source_account_id), (p.destination_account_id)
  ) as m (account_id)
  left join pgwallet.pocket as k on k.pocket_id = m.account_id
  where t.transaction_id = p_transaction_id and pgwallet._is_reversible(t.kind);
  perform
  from pgwallet.account as a
  where a.account_id = any (v_account_ids) and a.balance is not null
  order by a.account_id
  for no key update;

  -- Fresh statements: what the accounts hold now that nobody can change it.
  perform pgwallet._check_reversal(p_transaction_id, v_transaction_id, p_is_undoing);
  with back as materialized (
    select
      p.posting_id, p.amount,
      p.destination_account_id as source_account_id,
      p.source_account_id as destination_account_id
    from pgwallet.posting as p
    where p.transaction_id = p_transaction_id
  ),

  moved as (
    update pgwallet.account as a
    set balance = a.balance + c.amount
    from (
      select m.account_id, sum(m.amount) as amount
      from back as b
      cross join lateral (
        values (b.source_account_id, -b.amount), (b.destination_account_id, b.amount)
      ) as m (account_id, amount)
      group by m.account_id
    ) as c
    where a.account_id = c.account_id and a.balance is not null
    returning a.account_id, a.balance
  )

  -- The balance after a posting is the last one, without what the later postings still move.
  insert into pgwallet.posting (
    transaction_id, source_account_id, destination_account_id, amount,
    source_balance, destination_balance
  )
  select
    v_transaction_id, b.source_account_id, b.destination_account_id, b.amount,
    s.balance + coalesce(sum(b.amount) over later_of_source, 0),
    d.balance - coalesce(sum(b.amount) over later_of_destination, 0)
  from back as b
  left join moved as s on s.account_id = b.source_account_id
  left join moved as d on d.account_id = b.destination_account_id
  window
    later_of_source as (
      partition by b.source_account_id order by b.posting_id
      rows between 1 following and unbounded following
    ),
    later_of_destination as (
      partition by b.destination_account_id order by b.posting_id
      rows between 1 following and unbounded following
    )
  order by b.posting_id;

  return query
  select v_transaction_id, p_transaction_id, s.kind, s.amount, s.currency, false
  from pgwallet._show_transaction(p_transaction_id) as s;
end;
$function$;
