-- Every posting once, in the order of ids: those after the last one seen. It waits until none with
-- a smaller id can come any more, so that whoever goes on from the last one misses nothing.
--
-- Locks nothing. It waits for the transactions that are open and write, see _await_writers, but for
-- what is sealed, and where nothing came since; in a transaction that has written, for a second.
-- A page is full, unless it is the last one.
create or replace function pgwallet.read_feed(
  p_after_posting_id bigint default 0,
  p_limit integer default 1000
)
returns table (
  posting_id bigint, transaction_id bigint, kind text, source_account_id bigint,
  destination_account_id bigint, amount numeric, currency text, escrow_id bigint,
  idempotency_key text, metadata jsonb, created_at timestamptz, effective_at timestamptz
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $function$
declare
  v_after bigint := greatest(coalesce(p_after_posting_id, 0), 0);
  v_last bigint;
  v_until bigint;
  v_newest bigint;
  v_waited boolean := false;
  v_width bigint := p_limit;
  v_left integer := p_limit;
  v_found integer;
begin
  perform pgwallet._check_limit(p_limit);
  select s.last_value into v_last from pgwallet.posting_id_seq as s;
  if v_after >= v_last then
    perform pgwallet._warn_of_late_sequence();
    return;
  end if;
  perform pgwallet._summarize_postings();

  -- Nobody is waited for on account of what is sealed.
  select s.posting_id into v_until from pgwallet.seal as s order by s.seal_id desc limit 1;
  loop
    if v_after >= coalesce(v_until, 0) then
      exit when v_waited;
      v_until := v_last;
      exit when v_after >= v_until;
      -- Ids that were drawn and given up are nothing to wait for.
      select p.posting_id into v_newest
      from pgwallet.posting as p
      order by p.transaction_id desc, p.posting_id desc
      limit 1;
      exit when coalesce(v_newest, 0) <= v_after
        and not exists (select from pgwallet._read_range(v_after, v_until));
      -- Whoever has an xid already may be waited for in turn, so that wait has an end.
      if pg_current_xact_id_if_assigned() is not null then
        v_until := pgwallet._find_decided();
      end if;
      if pg_current_xact_id_if_assigned() is null or v_until is null then
        perform pgwallet._await_writers();
      end if;
      v_waited := true;
    end if;

    -- Few ids are missing, so the next ones are nearly all of these. The narrower the range, the
    -- fewer pages the index leads to.
    v_width := least(v_width, v_until - v_after);
    return query
    select
      p.posting_id, p.transaction_id, t.kind::text, p.source_account_id, p.destination_account_id,
      p.amount, a.currency::text, t.escrow_id, t.idempotency_key, t.metadata, p.created_at,
      coalesce(t.effective_at, p.created_at)
    from (
      select r.*
      from pgwallet._read_range(v_after, v_after + v_width) as r
      order by r.posting_id
      limit v_left
    ) as p
    left join pgwallet.transaction as t on t.transaction_id = p.transaction_id
    left join pgwallet.account as a on a.account_id = p.source_account_id
    order by p.posting_id;
    get diagnostics v_found = row_count;
    v_left := v_left - v_found;
    exit when v_left = 0;
    v_after := v_after + v_width;
    v_width := case when v_found = 0 then v_width * 2 else p_limit end;
  end loop;
end;
$function$;

comment on function pgwallet.read_feed(bigint, integer) is
'Every posting once, in the order of ids, from the last one seen. Raises: PW002.';
