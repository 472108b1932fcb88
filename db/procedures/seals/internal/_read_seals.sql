-- The seals after another one that can be computed again at once: those that cover no more than
-- 100,000 ids of a table together, and in any case one.
create or replace function pgwallet._read_seals(
  p_previous pgwallet.seal,
  p_until_seal_id bigint
)
returns pgwallet.seal[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_seals pgwallet.seal[];
begin
  select array_agg(n.seal order by n.place) into v_seals
  from (
    select
      s as seal, row_number() over o as place,
      max(
        greatest(
          s.transaction_id - coalesce(p_previous.transaction_id, 0),
          s.posting_id - coalesce(p_previous.posting_id, 0),
          s.event_id - coalesce(p_previous.event_id, 0)
        )
      ) over o as id_count
    from pgwallet.seal as s
    where (p_previous.seal_id is null or s.seal_id > p_previous.seal_id)
      and (p_until_seal_id is null or s.seal_id <= p_until_seal_id)
    window o as (order by s.seal_id)
    order by s.seal_id
    limit 1000
  ) as n
  where n.place = 1 or n.id_count <= 100000;
  return v_seals;
end;
$function$;
