-- Refunds one batch of a failed project's escrows, all of one shard: of the first that has
-- any, from the one of the last id on, and round. last_escrow_id says where to go on.
--
-- A shard that is not reached is passed over, until no other has any: then it is named (08001).
create or replace function pgwallet.refund_escrows(
  p_project_id bigint,
  p_limit integer default 100,
  p_after_escrow_id bigint default 0,
  p_wait boolean default false
)
returns table (
  escrow_count integer, refunded_amount numeric, last_escrow_id bigint,
  transaction_id bigint, replayed boolean
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_batch record;
  v_shard integer;
  v_failed text[] := '{}';
begin
  perform pgwallet_router._begin_call();
  for v_shard in
    select s.shard
    from generate_series(0, pgwallet_router._shard_count() - 1) as s (shard)
    order by s.shard < coalesce(pgwallet_router._shard_of(p_after_escrow_id), 0), s.shard
  loop
    begin
      select r.* into v_batch
      from pgwallet_remote.refund_escrows(
        v_shard, p_project_id, p_limit,
        case
          when v_shard >= coalesce(pgwallet_router._shard_of(p_after_escrow_id), 0)
            then p_after_escrow_id
          else 0
        end,
        p_wait
      ) as r
      where r.error is null or pgwallet_router._raise(r.error);
    exception when others then
      if pgwallet_router._failure_of(sqlstate, sqlerrm) is distinct from '08001' then
        raise;
      end if;
      v_failed := v_failed || format('%s 08001', v_shard);
      continue;
    end;
    exit when v_batch.escrow_count > 0;
  end loop;

  if cardinality(v_failed) = pgwallet_router._shard_count() then
    perform pgwallet_router._refuse_failed(v_failed);
  end if;
  -- Nothing is left on those that answer.
  if (v_batch.escrow_count > 0) is not true then
    perform pgwallet_router._refuse_failed(v_failed);
    v_batch.last_escrow_id := coalesce(p_after_escrow_id, 0);
  end if;
  return query
  select
    v_batch.escrow_count, v_batch.refunded_amount, v_batch.last_escrow_id,
    v_batch.transaction_id, v_batch.replayed;
exception when others then
  perform pgwallet_router._explain(sqlstate, sqlerrm);
  raise;
end;
$function$;
