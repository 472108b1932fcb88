-- What changed without moving money, and who changed it, in the order of ids and in pages.
--
-- Read along an index, of one subject or of all. It names roles, so it is not for applications.
create or replace function pgwallet.list_events(
  p_subject_id bigint default null,
  p_after_event_id bigint default 0,
  p_limit integer default 100
)
returns table (
  event_id bigint, subject_id bigint, kind text, changed_by text, created_at timestamptz,
  reason text, before jsonb, after jsonb
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $function$
declare
  v_after_event_id bigint := coalesce(p_after_event_id, 0);
begin
  perform pgwallet._check_limit(p_limit);
  if p_subject_id is null then
    return query
    select
      e.event_id, e.subject_id, e.kind, e.changed_by::text, e.created_at, e.reason, e.before, e.after
    from pgwallet.event as e
    where e.event_id > v_after_event_id
    order by e.event_id
    limit p_limit;
  else
    return query
    select
      e.event_id, e.subject_id, e.kind, e.changed_by::text, e.created_at, e.reason, e.before, e.after
    from pgwallet.event as e
    where e.subject_id = p_subject_id and e.event_id > v_after_event_id
    order by e.event_id
    limit p_limit;
  end if;
end;
$function$;

comment on function pgwallet.list_events(bigint, bigint, integer) is
'What changed without moving money, and who changed it. Raises: PW002.';
