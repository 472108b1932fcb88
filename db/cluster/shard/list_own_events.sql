-- What changed here without moving money, as list_events tells it, but for what a router did on all
-- shards: one of them tells that, by whom; on the others it is the role of routers that did it.
create or replace function pgwallet_shard.list_own_events(
  p_subject_id bigint,
  p_after_event_id bigint,
  p_limit integer
)
returns table (
  event_id bigint, subject_id bigint, kind text, changed_by text, created_at timestamptz,
  reason text, before jsonb, after jsonb
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_after_event_id bigint := coalesce(p_after_event_id, 0);
  v_event record;
  v_left integer := p_limit;
  v_found integer;
begin
  -- Page by page, with the refusals of the ledger.
  loop
    v_found := 0;
    for v_event in
      select e.*
      from pgwallet.list_events(p_subject_id, v_after_event_id, p_limit) as e
    loop
      v_found := v_found + 1;
      v_after_event_id := v_event.event_id;
      -- What somebody did on this shard alone is told, whatever it is.
      continue when v_event.kind = 'take_over_project' or v_event.changed_by = session_user;
      event_id := v_event.event_id;
      subject_id := v_event.subject_id;
      kind := v_event.kind;
      changed_by := v_event.changed_by;
      created_at := v_event.created_at;
      reason := v_event.reason;
      before := v_event.before;
      after := v_event.after;
      return next;
      v_left := v_left - 1;
      if v_left <= 0 then
        return;
      end if;
    end loop;
    exit when v_found < p_limit;
  end loop;
end;
$function$;
