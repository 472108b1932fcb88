-- check_ledger, which reads only, and an event that says when it looked, from where on, and how
-- much it found. So whoever watches learns of a check that does not run any more.
--
-- The event comes last, so that a check of an hour keeps back nobody who waits for transactions.
create or replace function pgwallet.record_check(p_since_transaction_id bigint default 0)
returns table (invariant integer, subject text, detail text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_checked_at timestamptz := clock_timestamp();
  v_count bigint := 0;
begin
  for invariant, subject, detail in
    select c.invariant, c.subject, c.detail
    from pgwallet.check_ledger(p_since_transaction_id) as c
  loop
    v_count := v_count + 1;
    return next;
  end loop;

  perform pgwallet._insert_event(
    'record_check', null, null,
    jsonb_build_object(
      'checked_at', v_checked_at,
      'since_transaction_id', greatest(coalesce(p_since_transaction_id, 0), 0),
      'violation_count', v_count
    )
  );
end;
$function$;

comment on function pgwallet.record_check(bigint) is
'Looks for violations as check_ledger does, and writes down that it looked and how many it found.';
