-- Inserts a transaction for each element of a bulk call, unless its key was used already. Then
-- the transaction that used it stands in. Returns, in the order of the elements, the
-- transaction ids and whether they are replays.
--
-- Locks: the idempotency keys, sorted, so that calls with the same keys in other orders queue.
create or replace function pgwallet._insert_transactions(
  p_kind pgwallet.transaction_kind,
  p_count integer,
  p_idempotency_keys text[],
  p_requests text[],
  p_metadata jsonb[],
  p_effective_at timestamptz[],
  p_escrow_ids bigint[] default null,
  out transaction_ids bigint[],
  out replays boolean[]
)
returns record
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_claimed integer;
  v_replayed integer;
  v_other record;
begin
  -- The xid comes first, as in the default of the column.
  perform pg_current_xact_id();
  select array_agg(nextval('pgwallet.transaction_id_seq'))
  into transaction_ids
  from generate_series(1, p_count);

  with claimed as (
    insert into pgwallet.transaction as t (
      transaction_id, kind, escrow_id, idempotency_key, request, metadata, effective_at
    )
    select
      u.transaction_id, p_kind, u.escrow_id, u.idempotency_key,
      case when u.idempotency_key is not null then u.request end, u.metadata, u.effective_at
    from unnest(
      transaction_ids, p_escrow_ids, p_idempotency_keys, p_requests, p_metadata, p_effective_at
    ) with ordinality
      as u (
        transaction_id, escrow_id, idempotency_key, request, metadata, effective_at, ordinal
      )
    order by u.idempotency_key collate "C", u.ordinal
    on conflict (idempotency_key) where idempotency_key is not null do nothing
    returning t.transaction_id
  )
  select count(*) into v_claimed from claimed as c;

  if v_claimed = p_count then
    replays := array_fill(false, array[p_count]);
    return;
  end if;

  -- A fresh statement, which sees the transactions that were faster.
  select u.idempotency_key, u.request
  into v_other
  from unnest(transaction_ids, p_idempotency_keys, p_requests) with ordinality
    as u (transaction_id, idempotency_key, request, ordinal)
  inner join pgwallet.transaction as t
    on t.idempotency_key = u.idempotency_key collate "C"
  where t.request <> u.request
  order by u.ordinal
  limit 1;
  if found then
    perform pgwallet._refuse_key(v_other.idempotency_key, v_other.request);
  end if;

  select
    array_agg(coalesce(t.transaction_id, u.transaction_id) order by u.ordinal),
    array_agg(coalesce(t.transaction_id <> u.transaction_id, false) order by u.ordinal),
    count(*) filter (where t.transaction_id <> u.transaction_id)
  into transaction_ids, replays, v_replayed
  from unnest(transaction_ids, p_idempotency_keys) with ordinality
    as u (transaction_id, idempotency_key, ordinal)
  left join pgwallet.transaction as t
    on t.idempotency_key = u.idempotency_key collate "C";
  if v_claimed + v_replayed < p_count then
    -- Neither inserted nor there.
    perform pgwallet._refuse_key(min(u.idempotency_key), null)
    from unnest(p_idempotency_keys) as u (idempotency_key)
    where not exists (
      select from pgwallet.transaction as t where t.idempotency_key = u.idempotency_key collate "C"
    );
  end if;
end;
$function$;
