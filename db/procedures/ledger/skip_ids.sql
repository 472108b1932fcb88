-- Moves each sequence of ids ahead: past the tables, and by a margin beyond. For a database that
-- came back as it was before, by a restore or a failover that lost commits: ids that were given out
-- since then, and that others may have noted, are not given to something else.
--
-- Sequences know no rollback: what it did stays done. Calls may draw ids between reading a sequence
-- and setting it, which must not set it back, so a margin is large. Locks: all ids of slot 0.
create or replace function pgwallet.skip_ids(
  p_margin bigint default 100000000,
  p_dry_run boolean default false
)
returns table (sequence_name text, next_before bigint, next_after bigint)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_before jsonb;
  v_after jsonb;
begin
  if (p_margin between 1000000 and 1000000000) is not true then
    raise exception using
      errcode = 'PW002',
      message = format('margin %s is not valid', coalesce(p_margin::text, 'null')),
      detail = 'A margin is a number of ids from a million to a billion.',
      hint = 'Take more than were given out in the time that was lost, or leave it out.';
  end if;
  if pg_is_in_recovery() then
    raise exception using
      errcode = '25006',
      message = 'a standby gives out no ids',
      detail = 'What it has of the sequences comes from its primary.',
      hint = 'Promote it first, then call this before anybody else calls.';
  end if;

  if p_dry_run is not true then
    -- So two at once come one after the other, and so does a project with an id of its own.
    perform pg_advisory_xact_lock(hashtextextended('pgwallet.id_seq', 0));
  end if;

  select
    jsonb_object_agg(s.sequence_name, s.next_value),
    jsonb_object_agg(
      s.sequence_name, greatest(s.next_value, s.highest_value + 1) + p_margin
    )
  into v_before, v_after
  from pgwallet.list_sequences() as s;

  if p_dry_run is not true then
    perform setval(format('pgwallet.%I', a.key)::regclass, a.value::bigint - 1)
    from jsonb_each_text(v_after) as a;
    -- By an id that is beyond, too.
    perform pgwallet._insert_event('skip_ids', null, v_before, v_after);
  end if;

  return query
  select b.key, b.value::bigint, (v_after ->> b.key)::bigint
  from jsonb_each_text(v_before) as b
  order by b.key;
end;
$function$;

comment on function pgwallet.skip_ids(bigint, boolean) is
'Moves the sequences of ids ahead by a margin, after a restore or failover that lost commits. '
'Owner only. Raises: PW002.';
