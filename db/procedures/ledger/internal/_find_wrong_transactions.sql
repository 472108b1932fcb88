-- Finds transactions with too few or too many postings, reversals that are not the opposite of what
-- they took back, digests that are none, and idempotency keys that several have.
--
-- A part of check_ledger, whose argument it takes.
create or replace function pgwallet._find_wrong_transactions(p_since_transaction_id bigint)
returns table (invariant integer, subject text, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  v_whole boolean := p_since_transaction_id is null;
  -- Below any id, also one that was forged.
  v_since bigint := coalesce(p_since_transaction_id, '-9223372036854775808'::bigint);
begin
  -- 6. One idempotency key, one effect.
  return query
  select
    6, format('idempotency key %L', t.idempotency_key),
    format('%s transactions carry it.', count(*))
  from pgwallet.transaction as t
  where t.idempotency_key is not null and (
    v_whole or t.idempotency_key in (
      select n.idempotency_key from pgwallet.transaction as n where n.transaction_id > v_since
    )
  )
  group by t.idempotency_key
  having count(*) > 1
  order by t.idempotency_key;

  -- 5. Metadata were erased whole, and what is left of them is a SHA-256.
  return query
  select
    5, format('transaction %s', t.transaction_id),
    format(
      'It has a digest of %s bytes, and %s metadata.', octet_length(t.metadata_digest),
      case when t.metadata is null then 'no' else 'still' end
    )
  from pgwallet.transaction as t
  where t.transaction_id > v_since and t.metadata_digest is not null
    and (t.metadata is not null or octet_length(t.metadata_digest) <> 32)
  order by t.transaction_id;

  -- 6. One transaction, one reversal.
  return query
  select
    6, format('transaction %s', t.reversed_transaction_id),
    format('%s reversals took it back.', count(*))
  from pgwallet.transaction as t
  where t.reversed_transaction_id is not null and (
    v_whole or t.reversed_transaction_id in (
      select n.reversed_transaction_id from pgwallet.transaction as n
      where n.transaction_id > v_since and n.reversed_transaction_id is not null
    )
  )
  group by t.reversed_transaction_id
  having count(*) > 1
  order by t.reversed_transaction_id;

  -- 7. A reversal has the postings of what it took back, one by one the other way round.
  return query
  select
    7, format('transaction %s', t.transaction_id),
    format(
      'It is a %s of %s, and does not post just the opposite of that.', t.kind,
      coalesce(format('%s %s', o.kind, o.transaction_id), 'no transaction')
    )
  from pgwallet.transaction as t
  left join pgwallet.transaction as o on o.transaction_id = t.reversed_transaction_id
  where t.transaction_id > v_since
    and (t.kind = 'reversal' or t.reversed_transaction_id is not null)
    and (
      t.kind = 'reversal' and pgwallet._is_reversible(o.kind)
      and (
        select array_agg(
          array[p.destination_account_id, p.source_account_id, p.amount] order by p.posting_id
        )
        from pgwallet.posting as p
        where p.transaction_id = t.transaction_id
      ) = (
        select array_agg(
          array[p.source_account_id, p.destination_account_id, p.amount] order by p.posting_id
        )
        from pgwallet.posting as p
        where p.transaction_id = o.transaction_id
      )
    ) is not true
  order by t.transaction_id;

  -- 7. A transaction has its postings. An allocation, the closing of a pocket and a change of a
  -- pledge may have moved nothing; an allocation, its reversal, a release, its refund and a batch of
  -- refunds may have moved to or from several accounts.
  return query
  select
    7, format('transaction %s', t.transaction_id),
    format('It is a %s, and has %s postings.', t.kind, coalesce(n.posting_count, 0))
  from pgwallet.transaction as t
  left join (
    select p.transaction_id, count(*) as posting_count
    from pgwallet.posting as p
    where p.transaction_id > v_since
    group by p.transaction_id
  ) as n on n.transaction_id = t.transaction_id
  where t.transaction_id > v_since
    and case
      when t.kind = 'allocation' then false
      when t.kind in ('pocket_closing', 'pledge_change') then n.posting_count > 1
      when n.posting_count is null then true
      when t.kind = 'reversal' then false
      when t.kind in ('release', 'release_refund') then n.posting_count > 3
      when t.kind = 'refund' and t.escrow_id is null then false
      else n.posting_count > 1
    end
  order by t.transaction_id;
end;
$function$;
