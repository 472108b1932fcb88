-- Writes down what changed without moving money. Only what differs is worth telling: the caller
-- passes the same keys before and after. Nothing in it may name an owner: an event is never erased.
create or replace function pgwallet._insert_event(
  p_kind text,
  p_subject_id bigint,
  p_before jsonb,
  p_after jsonb,
  p_reason text default null
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  insert into pgwallet.event (kind, subject_id, before, after, reason)
  values (p_kind, p_subject_id, p_before, p_after, p_reason);
end;
$function$;
