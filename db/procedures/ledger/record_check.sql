-- check_ledger and check_seals, which read only, and an event that says when it looked, from where
-- on, and how much it found. So whoever watches learns of a check that does not run any more.
--
-- Seals after p_since_seal_id; for null those that cover what came since, so all in a whole check.
-- The event comes last, so that a check of an hour keeps back nobody who waits for transactions.
create or replace function pgwallet.record_check(
  p_since_transaction_id bigint default 0,
  p_since_seal_id bigint default null
)
returns table (invariant integer, subject text, detail text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_checked_at timestamptz := clock_timestamp();
  v_since_seal_id bigint := coalesce(
    p_since_seal_id,
    (
      select s.seal_id
      from pgwallet.seal as s
      where p_since_transaction_id > 0 and s.transaction_id <= p_since_transaction_id
      order by s.seal_id desc
      limit 1
    ),
    0
  );
  v_count bigint := 0;
begin
  for invariant, subject, detail in
    select c.invariant, c.subject, c.detail
    from pgwallet.check_ledger(p_since_transaction_id) as c
    union all
    select
      5, format('seal %s', s.seal_id), concat_ws(' ', 'It covers ' || s.covers || '.', s.detail)
    from pgwallet.check_seals(v_since_seal_id) as s
  loop
    v_count := v_count + 1;
    return next;
  end loop;

  perform pgwallet._insert_event(
    'record_check', null, null,
    jsonb_build_object(
      'checked_at', v_checked_at,
      'since_transaction_id', greatest(coalesce(p_since_transaction_id, 0), 0),
      'since_seal_id', greatest(v_since_seal_id, 0),
      'violation_count', v_count
    )
  );
end;
$function$;

comment on function pgwallet.record_check(bigint, bigint) is
'Looks for violations as check_ledger does and at seals, and writes down that it looked and how '
'many it found.';
