-- What the last deployment installed, so that an edit made by hand since then shows.
--
-- depends: 0010_access

create table pgwallet.deployment (
  deployment_id bigint generated always as identity,
  source_hash text not null,
  deployed_at timestamptz not null default clock_timestamp(),
  deployed_by name not null default session_user,
  constraint deployment_pkey primary key (deployment_id)
);

comment on table pgwallet.deployment is
'One row for each time the functions were installed; the last one is what is there now.';

comment on column pgwallet.deployment.source_hash is
'SHA-256, in hex, of the text of all files in db/procedures.';

create table pgwallet.deployed_routine (
  signature text collate "C" not null,
  definition_hash text not null,
  constraint deployed_routine_pkey primary key (signature)
);

comment on table pgwallet.deployed_routine is
'The functions and procedures as the last deployment left them.';

-- Who reads this view sets search_path to pg_catalog, pg_temp first: names of types in
-- signatures and definitions are qualified by it. Granting a function to PUBLIC counts as an
-- edit. Extensions may live in this schema, their functions are no business of a deployment.
create view pgwallet.installed_routine as
select
  p.oid as routine_id,
  p.oid::regprocedure::text as signature,
  p.xmin as written_by,
  encode(
    sha256(
      convert_to(
        concat_ws(
          E'\n',
          case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end,
          obj_description(p.oid, 'pg_proc'),
          has_function_privilege('public', p.oid, 'execute')::text
        ),
        'UTF8'
      )
    ),
    'hex'
  ) as definition_hash
from pg_catalog.pg_proc as p
inner join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
where
  n.nspname = 'pgwallet'
  and not exists (
    select
    from pg_catalog.pg_depend as d
    where
      d.classid = 'pg_catalog.pg_proc'::regclass
      and d.objid = p.oid
      and d.deptype = 'e'
  );

comment on view pgwallet.installed_routine is
'The functions and procedures as they are in this schema now, to compare with deployed_routine.';

-- Where a sequence is behind, as after logical replication or the restore of some tables, what it
-- gives out next is there already. The highest posting is sought among those of the last
-- transactions: an index over all of them by their id would cost each posting.
create view pgwallet.sequence_position as
select
  'id_seq' as sequence_name,
  s.last_value + s.is_called::integer as next_value,
  greatest(
    (select max(a.account_id) from pgwallet.account as a),
    (select max(e.escrow_id) from pgwallet.escrow as e)
  ) / 1024 as highest_value
from pgwallet.id_seq as s
union all
select
  'transaction_id_seq' as sequence_name,
  s.last_value + s.is_called::integer as next_value,
  (select max(t.transaction_id) from pgwallet.transaction as t) as highest_value
from pgwallet.transaction_id_seq as s
union all
select
  'posting_id_seq' as sequence_name,
  s.last_value + s.is_called::integer as next_value,
  (
    select max(l.posting_id)
    from (
      select p.posting_id
      from pgwallet.posting as p
      order by p.transaction_id desc, p.posting_id desc
      limit 10
    ) as l
  ) as highest_value
from pgwallet.posting_id_seq as s
union all
select
  'deployment_deployment_id_seq' as sequence_name,
  s.last_value + s.is_called::integer as next_value,
  (select max(d.deployment_id) from pgwallet.deployment as d) as highest_value
from pgwallet.deployment_deployment_id_seq as s;

comment on view pgwallet.sequence_position is
'What each sequence gives out next, and the highest of its values that the tables hold.';
