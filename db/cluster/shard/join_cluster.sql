-- Makes this database a shard, once: from now on its ids come from a range of its own. The same
-- call again does nothing.
--
-- Locks: the identity.
create or replace function pgwallet_shard.join_cluster(
  p_cluster text,
  p_shard integer,
  p_shard_count integer
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_identity pgwallet_shard.identity;
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

  if exists (select from pgwallet.transaction) or exists (select from pgwallet.wallet)
    or exists (select from pgwallet.project)
  then
    raise exception using
      errcode = '55000',
      message = 'this database is in use already',
      detail = 'Its ids may be those of another shard.',
      hint = 'A new cluster is made of databases without wallets, projects and transactions.';
  end if;

  insert into pgwallet_shard.identity (cluster, shard, shard_count)
  values (p_cluster, p_shard, p_shard_count);
  perform setval('pgwallet.id_seq', (p_shard + 1)::bigint << 36, false);
  perform setval('pgwallet.transaction_id_seq', (p_shard + 1)::bigint << 46, false);
  perform setval('pgwallet.posting_id_seq', (p_shard + 1)::bigint << 46, false);
  perform setval('pgwallet.event_id_seq', (p_shard + 1)::bigint << 46, false);
  perform setval('pgwallet_shard.plan_id_seq', (p_shard + 1)::bigint << 46, false);
  -- Between the ids that callers may bring along and the ranges of the shards; each such that this
  -- shard, the home of the reference, is also that of the id.
  execute format(
    'alter sequence pgwallet_shard.project_id_seq increment %s restart %s',
    p_shard_count, (1::bigint << 35) + p_shard
  );
end;
$function$;
