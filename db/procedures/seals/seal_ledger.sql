-- Seals what was recorded since the last seal, up to p_limit ids of each table, and returns the
-- seal; no row where nothing was. For a transaction of its own: it waits for who writes.
--
-- No locks. Of two at once the later waits for the earlier to end, as for any writer, and goes on
-- from its seal. What comes while a backlog is sealed could be of any time since the last seal that
-- had none, so until there is none left, seals keep that one's time.
create or replace function pgwallet.seal_ledger(p_limit integer default 100000)
returns table (
  seal_id bigint, sealed_at timestamptz, transaction_id bigint, posting_id bigint, event_id bigint,
  digest text, has_more boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  c_first constant bigint := '-9223372036854775808'::bigint;
  -- Before any id is noted: what draws a later one is recorded after this.
  v_sealed_at timestamptz := clock_timestamp() - interval '1 microsecond';
  v_decided pgwallet.seal;
  v_previous pgwallet.seal;
  v_from pgwallet.seal;
  v_seal pgwallet.seal;
  v_pages text;
begin
  perform pgwallet._check_limit(p_limit);

  select s.last_value - 1 + s.is_called::integer into v_decided.transaction_id
  from pgwallet.transaction_id_seq as s;
  select s.last_value - 1 + s.is_called::integer into v_decided.posting_id
  from pgwallet.posting_id_seq as s;
  select s.last_value - 1 + s.is_called::integer into v_decided.event_id
  from pgwallet.event_id_seq as s;
  if exists (
    select
    from pgwallet.seal as s
    where s.transaction_id >= v_decided.transaction_id and s.posting_id >= v_decided.posting_id
      and s.event_id >= v_decided.event_id
  ) then
    return;
  end if;

  perform pgwallet._await_writers();
  -- Else each seal would read again what came since the server did.
  perform pgwallet._summarize_postings();
  select s.* into v_previous from pgwallet.seal as s order by s.seal_id desc limit 1;
  v_from.transaction_id := coalesce(v_previous.transaction_id, 0);
  v_from.posting_id := coalesce(v_previous.posting_id, 0);
  v_from.event_id := coalesce(v_previous.event_id, 0);
  -- Never back, should a sequence have been put back.
  v_decided.transaction_id := greatest(v_decided.transaction_id, v_from.transaction_id);
  v_decided.posting_id := greatest(v_decided.posting_id, v_from.posting_id);
  v_decided.event_id := greatest(v_decided.event_id, v_from.event_id);

  loop
    v_seal.transaction_id := least(v_decided.transaction_id, v_from.transaction_id + p_limit);
    v_seal.posting_id := least(v_decided.posting_id, v_from.posting_id + p_limit);
    v_seal.event_id := least(v_decided.event_id, v_from.event_id + p_limit);
    select g.pages into v_pages
    from pgwallet._seal_pages(
      array[coalesce(v_previous.transaction_id, c_first), v_seal.transaction_id],
      array[coalesce(v_previous.posting_id, c_first), v_seal.posting_id],
      array[coalesce(v_previous.event_id, c_first), v_seal.event_id]
    ) as g;
    has_more := v_seal.transaction_id < v_decided.transaction_id
      or v_seal.posting_id < v_decided.posting_id or v_seal.event_id < v_decided.event_id;
    exit when v_pages is not null;
    if not has_more then
      return;
    end if;

    -- None of these ids is of anything: on from where something is.
    select min(t.transaction_id) - 1 into v_from.transaction_id
    from pgwallet.transaction as t
    where t.transaction_id > v_seal.transaction_id
      and t.transaction_id <= v_decided.transaction_id;
    select min(p.posting_id) - 1 into v_from.posting_id
    from pgwallet.posting as p
    where p.posting_id > v_seal.posting_id and p.posting_id <= v_decided.posting_id;
    select min(e.event_id) - 1 into v_from.event_id
    from pgwallet.event as e
    where e.event_id > v_seal.event_id and e.event_id <= v_decided.event_id;
    v_from.transaction_id := coalesce(v_from.transaction_id, v_decided.transaction_id);
    v_from.posting_id := coalesce(v_from.posting_id, v_decided.posting_id);
    v_from.event_id := coalesce(v_from.event_id, v_decided.event_id);
  end loop;

  v_seal.seal_id := coalesce(v_previous.seal_id, 0) + 1;
  v_seal.sealed_at := case
    when has_more then coalesce(v_previous.sealed_at, 'epoch')
    -- Never back, should the clock have been.
    else greatest(v_previous.sealed_at, v_sealed_at)
  end;
  v_seal.digest := pgwallet._seal_digest(v_seal, v_previous.digest, v_pages);
  v_seal.latest_at := pgwallet._seal_sums(v_seal, v_previous);
  insert into pgwallet.seal (
    seal_id, sealed_at, transaction_id, posting_id, event_id, latest_at, digest
  )
  values (
    v_seal.seal_id, v_seal.sealed_at, v_seal.transaction_id, v_seal.posting_id, v_seal.event_id,
    v_seal.latest_at, v_seal.digest
  );

  seal_id := v_seal.seal_id;
  sealed_at := v_seal.sealed_at;
  transaction_id := v_seal.transaction_id;
  posting_id := v_seal.posting_id;
  event_id := v_seal.event_id;
  digest := encode(v_seal.digest, 'hex');
  return next;
end;
$function$;

comment on function pgwallet.seal_ledger(integer) is
'Seals what was recorded since the last seal, so that no later change of it goes unnoticed. '
'Raises: PW002.';
