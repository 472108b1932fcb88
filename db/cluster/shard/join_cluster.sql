-- Makes this database a shard, once: from now on its ids come from a range of its own. The same
-- call again does nothing. With p_adopt it may be a ledger in use, whose ids stay: they lie below
-- all ranges, so there is one such shard at most, the first.
--
-- Locks: the identity; then all ids of slot 0, so that afterwards each project with an id from
-- before is there.
create or replace function pgwallet_shard.join_cluster(
  p_cluster text,
  p_shard integer,
  p_shard_count integer,
  p_adopt boolean
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_identity pgwallet_shard.identity;
  v_is_used boolean;
begin
  lock table pgwallet_shard.identity in share row exclusive mode;
  select i.* into v_identity from pgwallet_shard.identity as i;
  if found then
    if (v_identity.cluster, v_identity.shard, v_identity.shard_count)
      <> (p_cluster, p_shard, p_shard_count)
    then
      raise exception using
        errcode = '55000',
        message = format(
          'this database is shard %s of %s of cluster %s',
          v_identity.shard, v_identity.shard_count, v_identity.cluster
        ),
        detail = format('It was to become shard %s of %s of %s.', p_shard, p_shard_count, p_cluster),
        hint = 'A shard keeps its place for good: use another database.';
    end if;
    if v_identity.moved_at is not null then
      raise exception using
        errcode = '55000',
        message = format('shard %s has moved away from here', p_shard),
        detail = format('It moved at %s.', v_identity.moved_at),
        hint = 'Name the database where it is now.';
    end if;
    return;
  end if;

  perform pg_advisory_xact_lock(hashtextextended('pgwallet.id_seq', 0));
  v_is_used := exists (select from pgwallet.transaction) or exists (select from pgwallet.wallet)
    or exists (select from pgwallet.project);
  if v_is_used and not (p_adopt and p_shard = 0) then
    raise exception using
      errcode = '55000',
      message = 'this database is in use already',
      detail = 'Its ids may be those of another shard.',
      hint = 'Only the first shard of a new cluster may have been: pgwallet cluster adopt.';
  end if;

  -- Sequences know no rollback: what came since a first attempt is in the range already.
  if exists (
    select from pgwallet.account as a
    where a.account_id between 1::bigint << 45 and (1::bigint << 46) - 1
      or a.account_id >= 1::bigint << 47
  ) or exists (
    select from pgwallet.transaction as t where t.transaction_id >= 1::bigint << 47
  ) or exists (
    select from pgwallet.project as p where p.project_id >= 1::bigint << 45
  ) then
    raise exception using
      errcode = '55000',
      message = 'the ids of this database are too large for a shard',
      detail = 'They reach into the ranges that shards have for themselves.',
      hint = 'Make a cluster of empty databases.';
  end if;

  insert into pgwallet_shard.identity (cluster, shard, shard_count, is_adopted)
  values (p_cluster, p_shard, p_shard_count, v_is_used);
  perform setval(s.name::regclass, (p_shard + 1)::bigint << s.bits, false)
  from (
    values
      ('pgwallet.id_seq', 36), ('pgwallet.transaction_id_seq', 46),
      ('pgwallet.posting_id_seq', 46), ('pgwallet.event_id_seq', 46),
      ('pgwallet_shard.plan_id_seq', 46)
  ) as s (name, bits)
  where coalesce(pg_sequence_last_value(s.name::regclass), 0) < (p_shard + 1)::bigint << s.bits;
  -- Between the ids that callers may bring along and the ranges of the shards; each such that this
  -- shard, the home of the reference, is also that of the id.
  execute format(
    'alter sequence pgwallet_shard.project_id_seq increment %s restart %s',
    p_shard_count, (1::bigint << 35) + p_shard
  );
end;
$function$;
