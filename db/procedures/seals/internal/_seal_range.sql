-- Names what a seal covers, beginning after what the one before it covers: the ids of each table.
create or replace function pgwallet._seal_range(
  p_seal pgwallet.seal,
  p_previous pgwallet.seal
)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return string_agg(
    case
      when r.last_id is null then format('%s from %s', r.name, coalesce(r.after_id, 0) + 1)
      when r.last_id <= coalesce(r.after_id, 0) then format('no %s', r.name)
      else format('%s %s to %s', r.name, coalesce(r.after_id, 0) + 1, r.last_id)
    end,
    ', ' order by r.place
  )
  from (
    values
      (1, 'transactions', p_previous.transaction_id, p_seal.transaction_id),
      (2, 'postings', p_previous.posting_id, p_seal.posting_id),
      (3, 'events', p_previous.event_id, p_seal.event_id)
  ) as r (place, name, after_id, last_id);
end;
$function$;
