-- Writes out what lies between bounds, a text for each two that follow one another: the SHA-256 of
-- each thousand ids, of transactions, then postings, then events, and when the first was recorded.
--
-- The lines are those of docs/concepts/seals.md: no character of them may ever change, or no seal
-- fits any more. No setting, locale or version changes them. Pages, since a text may have 1 GB.
create or replace function pgwallet._seal_pages(
  p_transaction_ids bigint[],
  p_posting_ids bigint[],
  p_event_ids bigint[]
)
returns table (place integer, pages text, first_created_at timestamptz)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set work_mem = '32MB'
as $function$
begin
  -- Memory enough to sort 100,000 rows of each table there: on disk it takes a sixth longer.
  return query
  with page as (
    select
      width_bucket(t.transaction_id - 1, p_transaction_ids) as place, 1 as part,
      t.transaction_id / 1000 as number, min(t.created_at) as first_created_at,
      string_agg(
        concat_ws(
          ' ', t.transaction_id, extract(epoch from t.created_at),
          coalesce(t.escrow_id::text, '-'), coalesce(t.reversed_transaction_id::text, '-'),
          coalesce(extract(epoch from t.effective_at)::text, '-'),
          coalesce(t.settled_count::text, '-'),
          length(t.kind) || ':' || t.kind,
          coalesce(length(t.idempotency_key) || ':' || t.idempotency_key, '-'),
          coalesce(length(t.request) || ':' || t.request, '-'),
          coalesce(
            nullif(
              concat(
                encode(sha256(convert_to(t.metadata::text, 'UTF8')), 'hex'),
                encode(t.metadata_digest, 'hex')
              ),
              ''
            ),
            '-'
          )
        ),
        e'\n' order by t.transaction_id
      ) as text
    from pgwallet.transaction as t
    where t.transaction_id > p_transaction_ids[1]
      and t.transaction_id <= p_transaction_ids[cardinality(p_transaction_ids)]
    group by 1, 2, 3
    union all
    select
      width_bucket(p.posting_id - 1, p_posting_ids), 2, p.posting_id / 1000, min(p.created_at),
      string_agg(
        concat_ws(
          ' ', p.posting_id, p.transaction_id, p.source_account_id, p.destination_account_id,
          extract(epoch from p.created_at), p.amount, coalesce(p.source_balance::text, '-'),
          coalesce(p.destination_balance::text, '-')
        ),
        e'\n' order by p.posting_id
      )
    from pgwallet.posting as p
    where p.posting_id > p_posting_ids[1]
      and p.posting_id <= p_posting_ids[cardinality(p_posting_ids)]
    group by 1, 2, 3
    union all
    select
      width_bucket(e.event_id - 1, p_event_ids), 3, e.event_id / 1000, min(e.created_at),
      string_agg(
        concat_ws(
          ' ', e.event_id, coalesce(e.subject_id::text, '-'), extract(epoch from e.created_at),
          length(e.changed_by) || ':' || e.changed_by, length(e.kind) || ':' || e.kind,
          coalesce(length(e.reason) || ':' || e.reason, '-'),
          coalesce(encode(sha256(convert_to(e.before::text, 'UTF8')), 'hex'), '-'),
          coalesce(encode(sha256(convert_to(e.after::text, 'UTF8')), 'hex'), '-')
        ),
        e'\n' order by e.event_id
      )
    from pgwallet.event as e
    where e.event_id > p_event_ids[1] and e.event_id <= p_event_ids[cardinality(p_event_ids)]
    group by 1, 2, 3
  ),

  -- Of each table by itself, so that workers can share them, and digested before they are sorted.
  digested as materialized (
    select
      g.place, g.part, g.number, g.first_created_at,
      encode(sha256(convert_to(g.text || e'\n', 'UTF8')), 'hex') || e'\n' as line
    from page as g
  )

  select
    d.place, string_agg(d.line, '' order by d.part, d.number), min(d.first_created_at)
  from digested as d
  group by d.place;
end;
$function$;
