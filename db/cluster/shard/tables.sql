-- What makes a pgwallet database a shard of a cluster: who it is there, and the ids of projects
-- that it is the home of. Nothing of the ledger itself is here, or is changed.

create schema if not exists pgwallet_shard;

create table if not exists pgwallet_shard.identity (
  only_row boolean primary key default true check (only_row),
  cluster text collate "C" not null,
  shard integer not null,
  shard_count integer not null,
  joined_at timestamptz not null default clock_timestamp(),
  moved_at timestamptz,
  constraint identity_shard_check check (shard between 0 and shard_count - 1)
);

comment on table pgwallet_shard.identity is
'Which shard of which cluster this database is: one row.';
comment on column pgwallet_shard.identity.shard is
'Counted from 0; its ids begin at (shard + 1) << 46.';
comment on column pgwallet_shard.identity.moved_at is
'Since then the shard is another database, and this one refuses to write; null in a shard.';

-- Projects are on all shards under one id, so those ids are below the ranges of all shards.
create sequence if not exists pgwallet_shard.project_id_seq as bigint;

comment on sequence pgwallet_shard.project_id_seq is
'Source of the ids that this shard gives to what is on all shards: id = nextval * 1024.';

-- Not its times: the shards have the project one after another. Nor its credit, which its home has.
create or replace view pgwallet_shard.common_project as
select
  p.project_id,
  ((p.project_id >> 10) % 1000)::integer as part,
  format(
    '%L in %s, %s, rates %s and %s, fee %s, at most %s%s', p.reference, p.currency, p.status,
    p.commission_rate, p.fee_rate, p.fee_fixed, p.max_pledge,
    case when p.frozen_at is not null then ', frozen' end
  ) as state
from pgwallet.project as p;

comment on view pgwallet_shard.common_project is
'What of each project is the same on all shards, in words.';
