-- What each sequence gives out next, and the highest of its values that the tables hold. One that
-- is behind, as after logical replication or the restore of some tables, gives out what is there.
--
-- The highest posting is sought among those of the last transactions: an index over all of them by
-- their id would cost each posting. No view, since a session may refuse to read views.
create or replace function pgwallet.list_sequences()
returns table (sequence_name text, next_value bigint, highest_value bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return query
  select
    'id_seq', s.last_value + s.is_called::integer,
    greatest(
      (select max(a.account_id) from pgwallet.account as a),
      (select max(e.escrow_id) from pgwallet.escrow as e)
    ) / 1024
  from pgwallet.id_seq as s
  union all
  select
    'transaction_id_seq', s.last_value + s.is_called::integer,
    (select max(t.transaction_id) from pgwallet.transaction as t)
  from pgwallet.transaction_id_seq as s
  union all
  select
    'posting_id_seq', s.last_value + s.is_called::integer,
    (
      select max(l.posting_id)
      from (
        select p.posting_id
        from pgwallet.posting as p
        order by p.transaction_id desc, p.posting_id desc
        limit 50
      ) as l
    )
  from pgwallet.posting_id_seq as s
  union all
  select
    'event_id_seq', s.last_value + s.is_called::integer,
    (select max(e.event_id) from pgwallet.event as e)
  from pgwallet.event_id_seq as s
  union all
  select
    'deployment_deployment_id_seq', s.last_value + s.is_called::integer,
    (select max(d.deployment_id) from pgwallet.deployment as d)
  from pgwallet.deployment_deployment_id_seq as s;
end;
$function$;

comment on function pgwallet.list_sequences() is
'What each sequence gives out next, and the highest of its values that the tables hold.';
