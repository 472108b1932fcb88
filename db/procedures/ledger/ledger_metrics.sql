-- When the ledger was last checked and sealed, what the checks found, since when something waits to
-- be sealed, and how much there is of it.
--
-- The last value of a sequence is how many ids were drawn: also those of calls that were undone.
create or replace function pgwallet.ledger_metrics()
returns table (
  checked_at timestamptz, violation_count bigint, sealed_at timestamptz, sealed_posting_id bigint,
  oldest_unsealed_at timestamptz, last_posting_id bigint, last_transaction_id bigint
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_whole pgwallet.event;
  v_seal pgwallet.seal;
begin
  select e.* into v_whole
  from pgwallet.event as e
  where e.kind = 'record_check' and e.after ->> 'since_transaction_id' = '0'
  order by e.event_id desc
  limit 1;
  select s.* into v_seal from pgwallet.seal as s order by s.seal_id desc limit 1;

  return query
  select
    (v_whole.after ->> 'checked_at')::timestamptz,
    (
      select max((e.after ->> 'violation_count')::bigint)
      from pgwallet.event as e
      where e.kind = 'record_check' and e.event_id >= coalesce(v_whole.event_id, 0)
    ),
    v_seal.sealed_at,
    v_seal.posting_id,
    (
      select n.created_at
      from pgwallet.transaction as n
      where n.transaction_id > coalesce(v_seal.transaction_id, 0)
      order by n.transaction_id
      limit 1
    ),
    p.last_value - (not p.is_called)::integer,
    t.last_value - (not t.is_called)::integer
  from pgwallet.posting_id_seq as p
  cross join pgwallet.transaction_id_seq as t;
end;
$function$;

comment on function pgwallet.ledger_metrics() is
'When the ledger was last checked and sealed, what the checks found, and how much there is of it.';
