-- Finds seals whose sums are not those of the postings up to them, the first for each account,
-- project and month, and those that do not know when their latest posting was recorded.
--
-- A part of check_ledger, whose argument it takes. With it, it goes on from the sums of the last
-- seal up to there.
create or replace function pgwallet._find_wrong_sums(p_since_transaction_id bigint)
returns table (invariant integer, subject text, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  v_known pgwallet.seal;
  v_seal_ids bigint[];
  v_posting_ids bigint[];
  v_above bigint;
begin
  select s.*
  into v_known
  from pgwallet.seal as s
  where s.transaction_id <= p_since_transaction_id
  order by s.seal_id desc
  limit 1;
  select array_agg(s.seal_id order by s.seal_id), array_agg(s.posting_id order by s.seal_id)
  into v_seal_ids, v_posting_ids
  from pgwallet.seal as s
  where s.seal_id > coalesce(v_known.seal_id, '-9223372036854775808'::bigint);
  if v_seal_ids is null then
    return;
  end if;
  v_above := coalesce(v_known.posting_id, '-9223372036854775808'::bigint);

  return query
  with counted as materialized (
    select v_seal_ids[c.place] as seal_id, c.latest_at, c.account_id, c.amount, c.flow, c.project
    from pgwallet._count_sums(v_above, v_posting_ids) as c
  ),

  made_balance as (
    select
      c.account_id, c.seal_id,
      pgwallet._sealed_balance(c.account_id, v_known.seal_id)
      + sum(c.amount) over (partition by c.account_id order by c.seal_id) as balance
    from counted as c
    where c.account_id is not null
  ),

  said_balance as (
    select b.account_id, b.seal_id, b.balance
    from pgwallet.seal_balance as b
    where b.seal_id > coalesce(v_known.seal_id, '-9223372036854775808'::bigint)
  ),

  wrong_balance as (
    select distinct on (coalesce(m.account_id, s.account_id))
      1 as invariant,
      format('%s %s', coalesce(a.kind, 'account'), coalesce(m.account_id, s.account_id)) as subject,
      format(
        'Seal %s says %s of it, the postings up to there make %s.', coalesce(m.seal_id, s.seal_id),
        coalesce(s.balance::text, 'nothing new'), coalesce(m.balance::text, 'nothing new')
      ) as detail
    from made_balance as m
    full outer join said_balance as s on s.account_id = m.account_id and s.seal_id = m.seal_id
    left join pgwallet.account as a on a.account_id = coalesce(m.account_id, s.account_id)
    where m.balance is distinct from s.balance
    order by coalesce(m.account_id, s.account_id), coalesce(m.seal_id, s.seal_id)
  ),

  made_project as (
    select
      f.project_id, c.seal_id,
      coalesce(k.pledge_count, 0) + sum(f.pledge_count) over w as pledge_count,
      coalesce(k.settled_count, 0) + sum(f.settled_count) over w as settled_count,
      coalesce(k.pledged, 0) + sum(f.pledged) over w as pledged,
      coalesce(k.refunded, 0) + sum(f.refunded) over w as refunded,
      coalesce(k.commission, 0) + sum(f.commission) over w as commission,
      coalesce(k.fee, 0) + sum(f.fee) over w as fee,
      coalesce(k.net, 0) + sum(f.net) over w as net
    from counted as c
    cross join lateral (select (c.project).*) as f
    left join lateral (
      select n.*
      from pgwallet.seal_project as n
      where n.project_id = f.project_id and n.seal_id <= v_known.seal_id
      order by n.seal_id desc
      limit 1
    ) as k on true
    where f.project_id is not null
    window w as (partition by f.project_id order by c.seal_id)
  ),

  said_project as (
    select n.*
    from pgwallet.seal_project as n
    where n.seal_id > coalesce(v_known.seal_id, '-9223372036854775808'::bigint)
  ),

  wrong_project as (
    select distinct on (coalesce(m.project_id, s.project_id))
      3, format('project %s', coalesce(m.project_id, s.project_id)),
      format(
        'What seal %s says that its pledges came to is not what was posted.',
        coalesce(m.seal_id, s.seal_id)
      )
    from made_project as m
    full outer join said_project as s on s.project_id = m.project_id and s.seal_id = m.seal_id
    where (
        m.pledge_count, m.settled_count, m.pledged, m.refunded, m.commission, m.fee, m.net
      ) is distinct from (
        s.pledge_count, s.settled_count, s.pledged, s.refunded, s.commission, s.fee, s.net
      )
    order by coalesce(m.project_id, s.project_id), coalesce(m.seal_id, s.seal_id)
  ),

  made_flow as (
    select
      f.month, f.currency, c.seal_id,
      f.deposit_count, f.withdrawal_count, f.pledge_count, f.release_count, f.refund_count,
      f.payout_count, f.collection_count, f.deposited, f.withdrawn, f.pledged, f.released,
      f.refunded, f.commission, f.fee, f.net, f.paid_out, f.collected
    from counted as c
    cross join lateral (select (c.flow).*) as f
    where f.month is not null
  ),

  -- From one row of a month to the next.
  said_flow as (
    select
      f.month, f.currency, f.seal_id,
      f.deposit_count - lag(f.deposit_count, 1, 0::bigint) over w as deposit_count,
      f.withdrawal_count - lag(f.withdrawal_count, 1, 0::bigint) over w as withdrawal_count,
      f.pledge_count - lag(f.pledge_count, 1, 0::bigint) over w as pledge_count,
      f.release_count - lag(f.release_count, 1, 0::bigint) over w as release_count,
      f.refund_count - lag(f.refund_count, 1, 0::bigint) over w as refund_count,
      f.payout_count - lag(f.payout_count, 1, 0::bigint) over w as payout_count,
      f.collection_count - lag(f.collection_count, 1, 0::bigint) over w as collection_count,
      f.deposited - lag(f.deposited, 1, 0::numeric) over w as deposited,
      f.withdrawn - lag(f.withdrawn, 1, 0::numeric) over w as withdrawn,
      f.pledged - lag(f.pledged, 1, 0::numeric) over w as pledged,
      f.released - lag(f.released, 1, 0::numeric) over w as released,
      f.refunded - lag(f.refunded, 1, 0::numeric) over w as refunded,
      f.commission - lag(f.commission, 1, 0::numeric) over w as commission,
      f.fee - lag(f.fee, 1, 0::numeric) over w as fee,
      f.net - lag(f.net, 1, 0::numeric) over w as net,
      f.paid_out - lag(f.paid_out, 1, 0::numeric) over w as paid_out,
      f.collected - lag(f.collected, 1, 0::numeric) over w as collected
    from pgwallet.seal_flow as f
    window w as (partition by f.month, f.currency order by f.seal_id)
  ),

  wrong_flow as (
    select distinct on (coalesce(m.month, s.month), coalesce(m.currency, s.currency))
      5, format('seal %s', coalesce(m.seal_id, s.seal_id)),
      format(
        'What it says that moved in %s in %s since the seal before is not what was posted.',
        coalesce(m.currency, s.currency), to_char(coalesce(m.month, s.month), 'YYYY-MM')
      )
    from made_flow as m
    full outer join (
      select n.* from said_flow as n where n.seal_id >= v_seal_ids[1]
    ) as s on s.month = m.month and s.currency = m.currency and s.seal_id = m.seal_id
    where (
        m.deposit_count, m.withdrawal_count, m.pledge_count, m.release_count, m.refund_count,
        m.payout_count, m.collection_count, m.deposited, m.withdrawn, m.pledged, m.released,
        m.refunded, m.commission, m.fee, m.net, m.paid_out, m.collected
      ) is distinct from (
        s.deposit_count, s.withdrawal_count, s.pledge_count, s.release_count, s.refund_count,
        s.payout_count, s.collection_count, s.deposited, s.withdrawn, s.pledged, s.released,
        s.refunded, s.commission, s.fee, s.net, s.paid_out, s.collected
      )
    order by coalesce(m.month, s.month), coalesce(m.currency, s.currency),
      coalesce(m.seal_id, s.seal_id)
  ),

  wrong_latest as (
    select
      5, format('seal %s', n.seal_id),
      format('Its latest posting was recorded at %s, and not at %s.', n.made, n.said)
    from (
      select
        s.seal_id, s.latest_at as said,
        coalesce(
          greatest(v_known.latest_at, max(c.latest_at) over (order by s.seal_id)), '-infinity'
        ) as made
      from pgwallet.seal as s
      left join counted as c on c.seal_id = s.seal_id and c.latest_at is not null
      where s.seal_id >= v_seal_ids[1]
    ) as n
    where n.made <> n.said
    order by n.seal_id
    limit 1
  )

  select w.* from wrong_balance as w
  union all
  select w.* from wrong_project as w
  union all
  select w.* from wrong_flow as w
  union all
  select w.* from wrong_latest as w;
end;
$function$;
