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
  is_adopted boolean not null default false,
  constraint identity_shard_check check (shard between 0 and shard_count - 1)
);

comment on table pgwallet_shard.identity is
'Which shard of which cluster this database is: one row.';
comment on column pgwallet_shard.identity.shard is
'Counted from 0; its ids begin at (shard + 1) << 46.';
comment on column pgwallet_shard.identity.is_adopted is
'Whether it was a ledger in use when it joined: its ids below its range are from before then.';
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

-- What a call does on several shards is written down on one of them first, that of its key. Broken
-- off anywhere, the same call goes on with it; its parts say on their own shards what is done.
create sequence if not exists pgwallet_shard.plan_id_seq as bigint;

comment on sequence pgwallet_shard.plan_id_seq is
'Source of the ids of plans, in a range of this shard.';

create table if not exists pgwallet_shard.plan (
  plan_id bigint primary key default nextval('pgwallet_shard.plan_id_seq'),
  idempotency_key text collate "C" not null,
  request text not null,
  parts jsonb not null,
  state text collate "C" not null default 'open',
  answers jsonb,
  made_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  constraint plan_state_check check (state in ('open', 'done', 'undoing', 'undone'))
);

-- What was refused has not used its key.
create unique index if not exists plan_idempotency_key
on pgwallet_shard.plan (idempotency_key) where state <> 'undone';

create index if not exists plan_left_idx
on pgwallet_shard.plan (made_at) where state in ('open', 'undoing');

comment on table pgwallet_shard.plan is
'What calls with keys of this shard do on several shards.';
comment on column pgwallet_shard.plan.idempotency_key is 'The caller''s name for the call.';
comment on column pgwallet_shard.plan.request is 'Function, ids and amount, as of transactions.';
comment on column pgwallet_shard.plan.parts is
'What to do, in order: of each part its shard, what it does, and with what.';
comment on column pgwallet_shard.plan.state is
'Open until it is done; undoing once a part was refused, until nothing of it is left.';
comment on column pgwallet_shard.plan.answers is 'What the parts returned, in order.';

create table if not exists pgwallet_shard.part (
  plan_id bigint not null,
  place integer not null,
  is_cancelled boolean not null default false,
  transaction_id bigint,
  answer jsonb,
  constraint part_pkey primary key (plan_id, place)
);

create unique index if not exists part_transaction_key
on pgwallet_shard.part (transaction_id) where transaction_id is not null;

comment on table pgwallet_shard.part is
'What this shard has done of plans, or will never do.';
comment on column pgwallet_shard.part.plan_id is 'The plan, whose range says on which shard it is.';
comment on column pgwallet_shard.part.place is 'Which part of the plan it is, from 0.';
comment on column pgwallet_shard.part.is_cancelled is
'Whether it was taken back, or is never to be done.';
comment on column pgwallet_shard.part.transaction_id is 'The transaction that did it.';
comment on column pgwallet_shard.part.answer is 'What it returned.';

create table if not exists pgwallet_shard.transit (
  currency text collate "C" primary key,
  account_id bigint not null unique
);

comment on table pgwallet_shard.transit is
'The account of each currency that money passes on its way to another shard, or from one.';
