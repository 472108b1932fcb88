-- Adds up what a seal covers beyond the one before it: for each account without a balance of its
-- own what it comes to now, for each project what its pledges do, and what moved in each month,
-- where that changed. Returns when the latest of all postings was recorded.
--
-- A part of seal_ledger, which it takes its time from: postings are read once.
create or replace function pgwallet._seal_sums(p_seal pgwallet.seal, p_previous pgwallet.seal)
returns timestamptz
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
as $function$
declare
  v_latest_at timestamptz;
begin
  with counted as materialized (
    select c.*
    from pgwallet._count_sums(
      coalesce(p_previous.posting_id, '-9223372036854775808'::bigint), array[p_seal.posting_id]
    ) as c
  ),

  balanced as (
    insert into pgwallet.seal_balance (account_id, seal_id, balance)
    select c.account_id, p_seal.seal_id, c.amount + coalesce(b.balance, 0)
    from counted as c
    left join lateral (
      select n.balance
      from pgwallet.seal_balance as n
      where n.account_id = c.account_id
      order by n.seal_id desc
      limit 1
    ) as b on true
    where c.account_id is not null
  ),

  flowed as (
    insert into pgwallet.seal_flow (
      month, currency, seal_id, deposit_count, withdrawal_count, pledge_count, release_count,
      refund_count, payout_count, collection_count, deposited, withdrawn, pledged, released,
      refunded, commission, fee, net, paid_out, collected
    )
    select
      f.month, f.currency, p_seal.seal_id,
      coalesce(b.deposit_count, 0) + f.deposit_count,
      coalesce(b.withdrawal_count, 0) + f.withdrawal_count,
      coalesce(b.pledge_count, 0) + f.pledge_count,
      coalesce(b.release_count, 0) + f.release_count,
      coalesce(b.refund_count, 0) + f.refund_count,
      coalesce(b.payout_count, 0) + f.payout_count,
      coalesce(b.collection_count, 0) + f.collection_count,
      coalesce(b.deposited, 0) + f.deposited, coalesce(b.withdrawn, 0) + f.withdrawn,
      coalesce(b.pledged, 0) + f.pledged, coalesce(b.released, 0) + f.released,
      coalesce(b.refunded, 0) + f.refunded, coalesce(b.commission, 0) + f.commission,
      coalesce(b.fee, 0) + f.fee, coalesce(b.net, 0) + f.net,
      coalesce(b.paid_out, 0) + f.paid_out, coalesce(b.collected, 0) + f.collected
    from counted as c
    cross join lateral (select (c.flow).*) as f
    left join lateral (
      select n.*
      from pgwallet.seal_flow as n
      where n.month = f.month and n.currency = f.currency
      order by n.seal_id desc
      limit 1
    ) as b on true
    where f.month is not null
  ),

  pledged as (
    insert into pgwallet.seal_project (
      project_id, seal_id, pledge_count, settled_count, pledged, refunded, commission, fee, net
    )
    select
      f.project_id, p_seal.seal_id,
      coalesce(b.pledge_count, 0) + f.pledge_count, coalesce(b.settled_count, 0) + f.settled_count,
      coalesce(b.pledged, 0) + f.pledged, coalesce(b.refunded, 0) + f.refunded,
      coalesce(b.commission, 0) + f.commission, coalesce(b.fee, 0) + f.fee,
      coalesce(b.net, 0) + f.net
    from counted as c
    cross join lateral (select (c.project).*) as f
    left join lateral (
      select n.*
      from pgwallet.seal_project as n
      where n.project_id = f.project_id
      order by n.seal_id desc
      limit 1
    ) as b on true
    where f.project_id is not null
  )

  select max(c.latest_at) into v_latest_at from counted as c;
  return coalesce(greatest(p_previous.latest_at, v_latest_at), '-infinity');
end;
$function$;
