-- What changed without moving money: of what lives on one shard from there, else shard after shard.
-- What was done on all of them is told once. What happened on a shard before it joined the cluster
-- is told by the first alone.
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
as $function$
declare
  v_after_event_id bigint := coalesce(p_after_event_id, 0);
  v_only integer := pgwallet_router._shard_of_account(p_subject_id);
  v_shard integer;
  v_left integer := p_limit;
  v_found integer;
begin
  for v_shard in
    select s.shard
    from pgwallet_router._shards_from(v_after_event_id) as s (shard)
    where s.shard = coalesce(v_only, s.shard)
  loop
    return query
    select
      r.event_id, r.subject_id, r.kind, r.changed_by, r.created_at, r.reason, r.before,
      r.after
    from pgwallet_remote.list_own_events(
      v_shard, p_subject_id,
      case
        when v_shard = 0 then v_after_event_id
        else greatest(v_after_event_id, ((v_shard + 1)::bigint << 46) - 1)
      end,
      v_left
    ) as r
    where r.error is null or pgwallet_router._raise(r.error);
    get diagnostics v_found = row_count;
    v_left := v_left - v_found;
    exit when v_left <= 0;
  end loop;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
