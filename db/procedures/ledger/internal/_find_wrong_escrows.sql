-- Finds escrows that do not add up, and projects whose escrows are not what was posted.
--
-- A part of check_ledger, whose argument it takes. With it, it looks at the projects that were
-- touched: all their postings and escrows, since batches name no escrow.
create or replace function pgwallet._find_wrong_escrows(p_since_transaction_id bigint)
returns table (invariant integer, subject text, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  v_whole boolean := p_since_transaction_id is null;
  v_project_ids bigint[];
  v_first_transaction_id bigint;
  v_first_escrow_id bigint;
begin
  -- Nothing that concerns a project is older than it: its escrows get their ids after its escrow
  -- account got one.
  if not v_whole then
    select array_agg(p.project_id), min(p.first_transaction_id), min(p.escrow_account_id)
    into v_project_ids, v_first_transaction_id, v_first_escrow_id
    from pgwallet.project as p
    where p.escrow_account_id in (
      select n.source_account_id
      from pgwallet.posting as n where n.transaction_id > p_since_transaction_id
      union all
      select n.destination_account_id
      from pgwallet.posting as n where n.transaction_id > p_since_transaction_id
    )
    or p.project_id in (
      select e.project_id
      from pgwallet.transaction as t
      inner join pgwallet.escrow as e on e.escrow_id = t.escrow_id
      where t.kind in ('pledge_change', 'release_refund')
        and t.transaction_id > p_since_transaction_id
    );
  end if;

  -- 2 and 3 for each project: what its escrows say is what was posted.
  return query
  with examined as (
    select p.project_id, p.escrow_account_id
    from pgwallet.project as p
    where v_whole or p.project_id = any(v_project_ids)
  ),

  -- A pledge comes from an account that keeps a balance; what leaves comes from the escrow account.
  -- To whom refunds went is in one sum too: to add up each wallet's takes three times as long.
  posted as (
    select
      x.project_id,
      coalesce(sum(p.amount) filter (where p.source_balance is not null), 0) as pledged,
      coalesce(sum(p.amount) filter (where p.source_balance is null), 0) as gone,
      coalesce(sum(p.amount) filter (where a.kind = 'wallet'), 0) as refunded,
      coalesce(sum(p.amount * hashint8(a.account_id)) filter (where a.kind = 'wallet'), 0)
      as refunded_to,
      coalesce(sum(p.amount) filter (where a.account_id = x.project_id), 0) as net,
      coalesce(sum(p.amount) filter (where a.kind = 'commission'), 0) as commission,
      coalesce(sum(p.amount) filter (where a.kind = 'fee'), 0) as fee
    from pgwallet.posting as p
    inner join examined as x on x.escrow_account_id = case
      when p.source_balance is null then p.source_account_id else p.destination_account_id
    end
    left join pgwallet.account as a
      on a.account_id = p.destination_account_id and p.source_balance is null
    where (p.source_balance is null or p.destination_balance is null)
      and (v_whole or p.transaction_id >= v_first_transaction_id)
    group by x.project_id
  ),

  -- What was taken off pledges went to wallets, but is no refund; what was refunded of releases did
  -- not come from the escrow account. Both name their escrow.
  corrected as (
    select
      x.project_id,
      sum(p.amount) filter (where t.kind = 'pledge_change') as taken_off,
      sum(case t.kind when 'release_refund' then p.amount else -p.amount end) as refunded,
      sum(
        case t.kind when 'release_refund' then p.amount else -p.amount end
        * hashint8(p.destination_account_id)
      ) as refunded_to,
      sum(p.amount) filter (where a.kind = 'project') as net,
      sum(p.amount) filter (where a.kind = 'commission') as commission,
      sum(p.amount) filter (where a.kind = 'fee') as fee
    from pgwallet.transaction as t
    inner join pgwallet.posting as p on p.transaction_id = t.transaction_id
    inner join pgwallet.escrow as e on e.escrow_id = t.escrow_id
    inner join examined as x on x.project_id = e.project_id
    left join pgwallet.account as a on a.account_id = p.source_account_id
    where t.kind in ('pledge_change', 'release_refund')
      and (t.kind = 'release_refund' or p.source_balance is null)
      and (v_whole or t.transaction_id >= v_first_transaction_id)
    group by x.project_id
  ),

  said as (
    select
      e.project_id, sum(e.amount) as pledged, sum(e.refunded_amount) as refunded,
      sum(e.refunded_amount * hashint8(e.wallet_id)) filter (where e.refunded_amount <> 0)
      as refunded_to,
      sum(e.released_amount + e.refunded_amount) as gone, sum(e.net_amount) as net,
      sum(e.commission_amount) as commission, sum(e.fee_amount) as fee
    from pgwallet.escrow as e
    inner join examined as x on x.project_id = e.project_id
    where v_whole or e.escrow_id > v_first_escrow_id
    group by e.project_id
  )

  select m.invariant, format('project %s', m.project_id), m.detail
  from (
    select
      c.project_id, c.invariant,
      format(
        'Its escrows %s %s, the postings of its escrow account make %s.', c.what, c.said, c.posted
      ) as detail
    from (
      select
        x.project_id, v.invariant, v.what,
        coalesce(v.said, 0) as said, coalesce(v.posted, 0) + coalesce(v.corrected, 0) as posted
      from examined as x
      left join posted as p on p.project_id = x.project_id
      left join corrected as k on k.project_id = x.project_id
      left join said as s on s.project_id = x.project_id
      cross join lateral (
        values
          (2, 'hold', s.pledged - s.gone, p.pledged - p.gone, 0),
          (3, 'were pledged', s.pledged, p.pledged, -k.taken_off),
          (3, 'were refunded', s.refunded, p.refunded, k.refunded),
          (3, 'were released as net', s.net, p.net, -k.net),
          (3, 'were released as commission', s.commission, p.commission, -k.commission),
          (3, 'were released as fee', s.fee, p.fee, -k.fee)
      ) as v (invariant, what, said, posted, corrected)
    ) as c
    where c.said <> c.posted
    union all
    select x.project_id, 3, 'Its refunds went to other wallets than its escrows say.'
    from examined as x
    left join posted as p on p.project_id = x.project_id
    left join corrected as k on k.project_id = x.project_id
    left join said as s on s.project_id = x.project_id
    where coalesce(p.refunded_to, 0) + coalesce(k.refunded_to, 0) <> coalesce(s.refunded_to, 0)
      and coalesce(p.refunded, 0) + coalesce(k.refunded, 0) = coalesce(s.refunded, 0)
  ) as m
  order by m.invariant, m.project_id, m.detail;

  -- 3 for each escrow: a transaction pledged it, and nothing else has its id.
  if v_whole then
    return query
    select 3, format('escrow %s', e.escrow_id), 'No transaction pledged it.'
    from pgwallet.escrow as e
    where not exists (
      select from pgwallet.transaction as t where t.kind = 'pledge' and t.escrow_id = e.escrow_id
    )
    union all
    select 3, format('escrow %s', e.escrow_id), 'An account has the same id.'
    from pgwallet.escrow as e
    inner join pgwallet.account as a on a.account_id = e.escrow_id
    order by 2;
  end if;

  -- What took the last of it: a transaction of its own, or a batch that posted for its project, and
  -- for as many: a refund for each, a release says how many.
  return query
  select
    3, format('escrow %s', s.escrow_id),
    format(
      'Transaction %s took the last of it%s, by what it says, but that %s.', s.settled_by,
      case when s.number > 1 then format(' and of %s more', s.number - 1) end,
      case
        when t.transaction_id is null then 'does not exist'
        else format('is a %s of %s', t.kind, coalesce('escrow ' || t.escrow_id, 'other escrows'))
      end
    )
  from (
    select e.settled_by, e.project_id, min(e.escrow_id) as escrow_id, count(*) as number
    from pgwallet.escrow as e
    where e.settled_by is not null
      and (v_whole or (e.project_id = any(v_project_ids) and e.escrow_id > v_first_escrow_id))
    group by e.settled_by, e.project_id
  ) as s
  left join pgwallet.transaction as t on t.transaction_id = s.settled_by
  where case
      when t.kind not in ('release', 'refund', 'pledge_change') then false
      when t.escrow_id is not null then t.escrow_id = s.escrow_id and s.number = 1
      else (
        select
          case t.kind
            when 'release' then count(*) > 0 and s.number = t.settled_count
            else s.number = count(*)
          end
        from pgwallet.posting as p
        inner join pgwallet.project as j on j.escrow_account_id = p.source_account_id
        where p.transaction_id = t.transaction_id and j.project_id = s.project_id
      )
    end is not true
  order by s.escrow_id;

  -- And in itself: 0 <= released + refunded <= amount, commission + fee + net = released, its
  -- status is what _escrow_status says, which the planner writes out, something settled it if
  -- nothing is left, and it gave no less than the transactions that name it posted. A rate never
  -- takes more than what is released: so the commission is that of all that was, in however many
  -- parts. Only where a release was refunded may it be more, up to that of all that ever was, and
  -- the net below 0.
  return query
  with posted as (
    select
      t.escrow_id,
      coalesce(sum(p.amount) filter (where t.kind <> 'release'), 0) as refunded,
      coalesce(sum(w.amount) filter (where d.kind = 'project'), 0) as net,
      coalesce(sum(w.amount) filter (where d.kind = 'commission'), 0) as commission,
      coalesce(sum(w.amount) filter (where d.kind = 'fee'), 0) as fee
    from pgwallet.transaction as t
    inner join pgwallet.posting as p on p.transaction_id = t.transaction_id
    cross join lateral (
      select
        case t.kind
          when 'release_refund' then p.source_account_id else p.destination_account_id
        end as account_id,
        case t.kind when 'release_refund' then -p.amount else p.amount end as amount
    ) as w
    inner join pgwallet.account as d on d.account_id = w.account_id
    where t.escrow_id is not null and t.kind in ('release', 'refund', 'release_refund')
      and (v_whole or t.transaction_id > p_since_transaction_id)
    group by t.escrow_id
  ),

  -- Since when does not matter here: what was kept then is kept still.
  taken_back as (
    select t.escrow_id, sum(p.amount) as amount
    from pgwallet.transaction as t
    inner join pgwallet.posting as p on p.transaction_id = t.transaction_id
    where t.kind in ('pledge_change', 'release_refund') and t.kind = 'release_refund'
    group by t.escrow_id
  ),

  looked_at as (
    select
      e.escrow_id, e.amount, e.released_amount, e.refunded_amount, e.commission_amount,
      e.fee_amount, e.net_amount, e.status,
      p.refunded, p.net, p.commission, p.fee,
      j.project_id is not null and w.wallet_id is not null as has_both_sides,
      e.settled_by,
      round(e.released_amount * j.commission_rate, c.exponent) as due_commission,
      round((e.released_amount + coalesce(b.amount, 0)) * j.commission_rate, c.exponent)
      as most_commission,
      e.released_amount >= 0 and e.refunded_amount >= 0
      and e.released_amount + e.refunded_amount <= e.amount
      and e.commission_amount >= 0 and e.fee_amount >= 0
      and (e.net_amount >= 0 or b.amount > 0)
      and e.commission_amount + e.fee_amount + e.net_amount = e.released_amount
      and case e.status
        when 'disputed' then 'locked'
        when 'expired' then case when e.expires_at is not null then 'refunded' end
        else e.status
      end = pgwallet._escrow_status(e.amount, e.released_amount, e.refunded_amount)::text
      as adds_up,
      (e.settled_by is null) = (e.status in ('locked', 'disputed')) as says_what_settled_it,
      p.escrow_id is null or (
        p.refunded <= e.refunded_amount
        and p.commission <= e.commission_amount and p.fee <= e.fee_amount
        -- What is looked at may have begun when the net was below 0.
        and case
          when v_whole or b.amount is null then p.net <= e.net_amount
          else p.commission + p.fee + p.net <= e.released_amount
        end
      ) as gave_what_was_posted
    from pgwallet.escrow as e
    left join pgwallet.project as j on j.project_id = e.project_id
    left join pgwallet.currency as c on c.currency = j.currency
    left join pgwallet.wallet as w on w.wallet_id = e.wallet_id
    left join posted as p on p.escrow_id = e.escrow_id
    left join taken_back as b on b.escrow_id = e.escrow_id
    where v_whole or (e.project_id = any(v_project_ids) and e.escrow_id > v_first_escrow_id)
  )

  select
    3, format('escrow %s', l.escrow_id),
    concat_ws(
      ' ',
      format(
        'Of %s, %s were released (%s + %s + %s) and %s refunded; its status is %s.',
        l.amount, l.released_amount, l.commission_amount, l.fee_amount, l.net_amount,
        l.refunded_amount, l.status
      ),
      case when not l.has_both_sides then 'Its project or wallet does not exist.' end,
      case
        when l.commission_amount not between l.due_commission and l.most_commission
          then format('Its commission would be %s.', l.due_commission)
      end,
      case
        when not l.says_what_settled_it
          then format(
            'The transaction that took the last of it is %s.', coalesce(l.settled_by::text, 'null')
          )
      end,
      case
        when not l.gave_what_was_posted
          then format(
            'Its own transactions posted %s + %s + %s and %s.',
            l.commission, l.fee, l.net, l.refunded
          )
      end
    )
  from looked_at as l
  where (
    l.adds_up and l.has_both_sides and l.gave_what_was_posted and l.says_what_settled_it
    and l.commission_amount between l.due_commission and l.most_commission
  ) is not true
  order by l.escrow_id;
end;
$function$;
