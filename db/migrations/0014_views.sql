-- Views to read from: by people, and by tools such as Grafana and Metabase.
--
-- depends: 0013_deployment

-- What is read for each row is joined laterally: so one row, found by whatever condition, costs a
-- few pages of indexes, however large the ledger is.
create view pgwallet.wallet_summary as
select
  w.wallet_id,
  w.owner_id,
  w.created_at,
  a.frozen_at,
  a.closed_at,
  w.allocation_percentage,
  k.pocket_count,
  l.locked_count,
  l.disputed_count,
  w.currency,
  round(a.balance, c.exponent) as balance,
  round(a.credit_limit, c.exponent) as credit_limit,
  round(k.balance, c.exponent) as pocket_balance,
  round(l.amount, c.exponent) as locked_amount,
  round(l.disputed_amount, c.exponent) as disputed_amount,
  round(a.balance + k.balance + l.amount, c.exponent) as total_amount
from pgwallet.wallet as w
inner join pgwallet.currency as c on w.currency = c.currency
inner join pgwallet.account as a on w.wallet_id = a.account_id
cross join lateral (
  select count(*) as pocket_count, coalesce(sum(b.balance), 0) as balance
  from pgwallet.pocket as o
  inner join pgwallet.account as b on o.pocket_id = b.account_id
  where o.wallet_id = w.wallet_id and o.closed_at is null
) as k
-- What left the wallet as a pledge leads to its escrows: an index of escrows by wallet would cost
-- each pledge.
cross join lateral (
  select
    count(*) filter (where e.status = 'locked') as locked_count,
    count(*) filter (where e.status = 'disputed') as disputed_count,
    coalesce(sum(e.amount - e.released_amount - e.refunded_amount), 0) as amount,
    coalesce(
      sum(e.amount - e.released_amount - e.refunded_amount) filter (where e.status = 'disputed'),
      0
    ) as disputed_amount
  from pgwallet.posting as p
  inner join pgwallet.transaction as t on p.transaction_id = t.transaction_id
  inner join pgwallet.escrow as e on t.escrow_id = e.escrow_id
  where
    p.source_account_id = w.wallet_id
    and p.source_balance is not null
    and t.kind = 'pledge'
    and e.status in ('locked', 'disputed')
) as l;

comment on view pgwallet.wallet_summary is
'What each wallet holds: free, in its pockets, and locked in pledges.';
comment on column pgwallet.wallet_summary.wallet_id is 'Id of the wallet and of its account.';
comment on column pgwallet.wallet_summary.owner_id is 'The owner, as the application calls them.';
comment on column pgwallet.wallet_summary.created_at is 'When the wallet was opened.';
comment on column pgwallet.wallet_summary.frozen_at is
'Since when nothing may leave it; null while it is not frozen.';
comment on column pgwallet.wallet_summary.closed_at is 'When it was closed; null while it is open.';
comment on column pgwallet.wallet_summary.allocation_percentage is
'Percentage of an allocated deposit that goes to its pockets.';
comment on column pgwallet.wallet_summary.pocket_count is
'How many pockets it has, without closed ones.';
comment on column pgwallet.wallet_summary.locked_count is
'How many of its pledges are still locked, wholly or in part.';
comment on column pgwallet.wallet_summary.disputed_count is
'How many of its pledges a dispute holds.';
comment on column pgwallet.wallet_summary.currency is 'Currency of the amounts.';
comment on column pgwallet.wallet_summary.balance is
'What is free to pledge, allocate or withdraw; below 0 is what it owes.';
comment on column pgwallet.wallet_summary.credit_limit is 'How far below 0 the balance may go.';
comment on column pgwallet.wallet_summary.pocket_balance is 'What its pockets hold, all together.';
comment on column pgwallet.wallet_summary.locked_amount is
'What it pledged that was neither released nor refunded yet.';
comment on column pgwallet.wallet_summary.disputed_amount is
'What of that disputes hold.';
comment on column pgwallet.wallet_summary.total_amount is
'The balances and what is locked, all together.';

create view pgwallet.pocket_summary as
select
  k.pocket_id,
  k.wallet_id,
  w.owner_id,
  k.name,
  k.pocket_type,
  k.created_at,
  k.allocation_percentage,
  k.takes_rest,
  k.stop_at_target,
  w.currency,
  round(k.target_amount, c.exponent) as target_amount,
  case
    when k.target_amount is not null
      then round(greatest(k.target_amount - a.balance, 0), c.exponent)
  end as lacking_amount,
  round(a.balance, c.exponent) as balance
from pgwallet.pocket as k
inner join pgwallet.wallet as w on k.wallet_id = w.wallet_id
inner join pgwallet.currency as c on w.currency = c.currency
inner join pgwallet.account as a on k.pocket_id = a.account_id
where k.closed_at is null;

comment on view pgwallet.pocket_summary is 'What each open pocket holds, and whose it is.';
comment on column pgwallet.pocket_summary.pocket_id is 'Id of the pocket and of its account.';
comment on column pgwallet.pocket_summary.wallet_id is 'The wallet that the pocket is a part of.';
comment on column pgwallet.pocket_summary.owner_id is 'Owner of the wallet.';
comment on column pgwallet.pocket_summary.name is 'Name of the pocket within its wallet.';
comment on column pgwallet.pocket_summary.pocket_type is
'What the application uses the pocket for.';
comment on column pgwallet.pocket_summary.created_at is 'When the pocket was made.';
comment on column pgwallet.pocket_summary.allocation_percentage is
'Percentage of an allocated deposit that the pocket receives.';
comment on column pgwallet.pocket_summary.takes_rest is
'Whether it receives what the other pockets leave of an allocation.';
comment on column pgwallet.pocket_summary.stop_at_target is
'Whether an allocation gives it no more than it lacks of its target.';
comment on column pgwallet.pocket_summary.currency is 'Currency of the amounts.';
comment on column pgwallet.pocket_summary.target_amount is
'What the owner wants to save; null if nothing was said.';
comment on column pgwallet.pocket_summary.lacking_amount is
'What it lacks of its target, 0 from there on; null if it has none.';
comment on column pgwallet.pocket_summary.balance is 'What the pocket holds.';

-- Its condition always holds: it leads the planner to the two indexes by project, one for the
-- escrows that hold something and one for the others.
create view pgwallet.escrow_summary as
select
  e.escrow_id,
  e.project_id,
  e.wallet_id,
  w.owner_id,
  j.reference,
  e.status,
  j.status as project_status,
  e.created_at,
  e.expires_at,
  coalesce(
    e.status = 'locked' and e.expires_at <= statement_timestamp()
    and (j.status <> 'succeeded' or e.expires_at <= j.closed_at),
    false
  ) as expired,
  statement_timestamp() - e.created_at as age,
  e.settled_by,
  j.currency,
  e.amount,
  round(e.amount - e.released_amount - e.refunded_amount, scale(e.amount)) as locked_amount,
  round(e.released_amount, scale(e.amount)) as released_amount,
  round(e.refunded_amount, scale(e.amount)) as refunded_amount,
  round(e.commission_amount, scale(e.amount)) as commission_amount,
  round(e.fee_amount, scale(e.amount)) as fee_amount,
  round(e.net_amount, scale(e.amount)) as net_amount
from pgwallet.escrow as e
left join pgwallet.wallet as w on e.wallet_id = w.wallet_id
left join pgwallet.project as j on e.project_id = j.project_id
where e.status in ('locked', 'disputed') or e.status not in ('locked', 'disputed');

comment on view pgwallet.escrow_summary is
'Each pledge: whose, for which project, how old, and where its money is.';
comment on column pgwallet.escrow_summary.escrow_id is 'Id of the escrow.';
comment on column pgwallet.escrow_summary.project_id is 'The project that was pledged to.';
comment on column pgwallet.escrow_summary.wallet_id is 'The wallet that pledged.';
comment on column pgwallet.escrow_summary.settled_by is
'The transaction that took the last of it; null while anything is left.';
comment on column pgwallet.escrow_summary.owner_id is 'Owner of the wallet.';
comment on column pgwallet.escrow_summary.reference is 'Reference of the project.';
comment on column pgwallet.escrow_summary.status is
'Locked while anything is left, or disputed; then released, refunded, expired or settled.';
comment on column pgwallet.escrow_summary.project_status is
'Whether the project is open, or how it ended.';
comment on column pgwallet.escrow_summary.created_at is 'When the pledge was made.';
comment on column pgwallet.escrow_summary.expires_at is
'From when on it is only refunded, unless the project has succeeded by then; null for never.';
comment on column pgwallet.escrow_summary.expired is
'Whether it is locked and has expired before its project succeeded, so that it is only refunded.';
comment on column pgwallet.escrow_summary.age is 'How long ago the pledge was made.';
comment on column pgwallet.escrow_summary.currency is 'Currency of the amounts.';
comment on column pgwallet.escrow_summary.amount is 'What was pledged.';
comment on column pgwallet.escrow_summary.locked_amount is
'What was neither released nor refunded yet.';
comment on column pgwallet.escrow_summary.released_amount is
'What was released so far, before commission and fee.';
comment on column pgwallet.escrow_summary.refunded_amount is 'What went back to the wallet so far.';
comment on column pgwallet.escrow_summary.commission_amount is
'What the platform took of releases.';
comment on column pgwallet.escrow_summary.fee_amount is 'What payments took of releases.';
comment on column pgwallet.escrow_summary.net_amount is 'What the project received of releases.';

-- All escrows of a project, along the same two indexes: what became of each is not in the sums of
-- seals, which get_project goes by.
create view pgwallet.project_summary as
select
  j.project_id,
  j.reference,
  j.status,
  j.created_at,
  j.closed_at,
  a.frozen_at,
  j.commission_rate,
  j.fee_rate,
  j.fee_fixed,
  e.escrow_count,
  e.locked_count,
  e.disputed_count,
  e.released_count,
  e.refunded_count,
  e.expired_count,
  e.settled_count,
  j.currency,
  j.max_pledge,
  round(e.pledged, c.exponent) as pledged_amount,
  round(e.locked, c.exponent) as locked_amount,
  round(e.disputed, c.exponent) as disputed_amount,
  round(e.released, c.exponent) as released_amount,
  round(e.refunded, c.exponent) as refunded_amount,
  round(e.commission, c.exponent) as commission_amount,
  round(e.fee, c.exponent) as fee_amount,
  round(e.net, c.exponent) as net_amount,
  round(o.amount - b.amount, c.exponent) as paid_out_amount,
  round(a.balance, c.exponent) as balance,
  round(a.credit_limit, c.exponent) as credit_limit
from pgwallet.project as j
inner join pgwallet.currency as c on j.currency = c.currency
inner join pgwallet.account as a on j.project_id = a.account_id
cross join lateral (
  select
    count(*) as escrow_count,
    count(*) filter (where s.status = 'locked') as locked_count,
    count(*) filter (where s.status = 'disputed') as disputed_count,
    count(*) filter (where s.status = 'released') as released_count,
    count(*) filter (where s.status = 'refunded') as refunded_count,
    count(*) filter (where s.status = 'expired') as expired_count,
    count(*) filter (where s.status = 'settled') as settled_count,
    coalesce(sum(s.amount), 0) as pledged,
    coalesce(sum(s.amount - s.released_amount - s.refunded_amount), 0) as locked,
    coalesce(
      sum(s.amount - s.released_amount - s.refunded_amount) filter (where s.status = 'disputed'),
      0
    ) as disputed,
    coalesce(sum(s.released_amount), 0) as released,
    coalesce(sum(s.refunded_amount), 0) as refunded,
    coalesce(sum(s.commission_amount), 0) as commission,
    coalesce(sum(s.fee_amount), 0) as fee,
    coalesce(sum(s.net_amount), 0) as net
  from pgwallet.escrow as s
  where
    s.project_id = j.project_id
    and (s.status in ('locked', 'disputed') or s.status not in ('locked', 'disputed'))
) as e
cross join lateral (
  select coalesce(sum(p.amount), 0) as amount
  from pgwallet.posting as p
  where
    p.source_account_id = j.project_id
    and p.source_balance is not null
    and p.destination_account_id = a.external_account_id
) as o
-- Payouts that were taken back.
cross join lateral (
  select coalesce(sum(p.amount), 0) as amount
  from pgwallet.posting as p
  where
    p.destination_account_id = j.project_id
    and p.destination_balance is not null
    and p.source_account_id = a.external_account_id
) as b;

comment on view pgwallet.project_summary is
'Each project: what was pledged to it, and what became of that.';
comment on column pgwallet.project_summary.project_id is 'Id of the project and of its account.';
comment on column pgwallet.project_summary.reference is 'The project, as the application calls it.';
comment on column pgwallet.project_summary.status is
'Open while it takes pledges; then succeeded or failed.';
comment on column pgwallet.project_summary.created_at is 'When the project was opened.';
comment on column pgwallet.project_summary.closed_at is 'When it was closed; null while open.';
comment on column pgwallet.project_summary.frozen_at is
'Since when it takes no pledges and pays nothing out; null while it is not frozen.';
comment on column pgwallet.project_summary.commission_rate is
'Part of a released amount that the platform takes.';
comment on column pgwallet.project_summary.fee_rate is
'Part of a released amount that pays for payments.';
comment on column pgwallet.project_summary.fee_fixed is
'What each released escrow pays once for payments.';
comment on column pgwallet.project_summary.escrow_count is 'How many pledges it got.';
comment on column pgwallet.project_summary.locked_count is
'How many of them are still locked, wholly or in part.';
comment on column pgwallet.project_summary.disputed_count is 'How many of them a dispute holds.';
comment on column pgwallet.project_summary.released_count is 'How many were released whole.';
comment on column pgwallet.project_summary.refunded_count is
'How many were refunded whole, but for those that had expired.';
comment on column pgwallet.project_summary.expired_count is
'How many were refunded whole because they had expired.';
comment on column pgwallet.project_summary.settled_count is
'How many were released in part and refunded in part.';
comment on column pgwallet.project_summary.currency is 'Currency of the amounts.';
comment on column pgwallet.project_summary.max_pledge is 'The largest single pledge.';
comment on column pgwallet.project_summary.pledged_amount is
'What was pledged: locked, released and refunded together.';
comment on column pgwallet.project_summary.locked_amount is
'What was neither released nor refunded yet.';
comment on column pgwallet.project_summary.disputed_amount is 'What of that disputes hold.';
comment on column pgwallet.project_summary.released_amount is
'What was released so far, before commission and fee.';
comment on column pgwallet.project_summary.refunded_amount is 'What went back to wallets so far.';
comment on column pgwallet.project_summary.commission_amount is
'What the platform took of releases.';
comment on column pgwallet.project_summary.fee_amount is 'What payments took of releases.';
comment on column pgwallet.project_summary.net_amount is
'What the project received of releases: paid out and ready together.';
comment on column pgwallet.project_summary.paid_out_amount is
'What was paid out so far, less what came back.';
comment on column pgwallet.project_summary.balance is
'What is ready to pay out; below 0 is what it owes.';
comment on column pgwallet.project_summary.credit_limit is 'How far below 0 the balance may go.';

-- What a posting's transaction did says what it was, and the kinds of its two accounts which part.
-- A reversal counts against the kind that it took back, and a refund of a release against the
-- release: in the month in which that happened. Months are those of UTC, whoever reads.
--
-- What is read for each posting is joined laterally, since few are read: those of no seal yet.
-- Null is what it adds nothing to: that is passed over sooner than 0 is added.
-- Its columns are those of seal_flow, with a posting in place of a seal.
create view pgwallet.flow as
select
  p.posting_id,
  s.currency,
  date_trunc('month', p.created_at at time zone 'UTC')::date as month,
  case when w.kind = 'deposit' then w.sign end as deposit_count,
  case when w.kind = 'withdrawal' then w.sign end as withdrawal_count,
  case when d.kind = 'escrow' and t.kind = 'pledge' then 1 end as pledge_count,
  case when t.kind = 'release' and d.kind = 'project' then 1 end as release_count,
  case when t.kind = 'refund' then 1 end as refund_count,
  case when w.kind = 'payout' then w.sign end as payout_count,
  case when t.kind = 'collection' then 1 end as collection_count,
  case when w.kind = 'deposit' then w.sign * p.amount end as deposited,
  case when w.kind = 'withdrawal' then w.sign * p.amount end as withdrawn,
  case
    when t.kind not in ('pledge', 'pledge_change') then null
    when d.kind = 'escrow' then p.amount
    else -p.amount
  end as pledged,
  r.amount as released,
  case when t.kind in ('refund', 'release_refund') then p.amount end as refunded,
  case when 'commission' in (s.kind, d.kind) then r.amount end as commission,
  case when 'fee' in (s.kind, d.kind) then r.amount end as fee,
  case when 'project' in (s.kind, d.kind) then r.amount end as net,
  case when w.kind = 'payout' then w.sign * p.amount end as paid_out,
  case when t.kind = 'collection' then p.amount end as collected
from pgwallet.posting as p
cross join lateral (
  select
    f.kind,
    f.reversed_transaction_id
  from pgwallet.transaction as f
  where f.transaction_id = p.transaction_id
  order by f.transaction_id
  limit 1
) as t
cross join lateral (
  select
    a.kind,
    a.currency
  from pgwallet.account as a
  where a.account_id = p.source_account_id
  order by a.account_id
  limit 1
) as s
cross join lateral (
  select a.kind
  from pgwallet.account as a
  where a.account_id = p.destination_account_id
  order by a.account_id
  limit 1
) as d
left join lateral (
  select f.kind
  from pgwallet.transaction as f
  where f.transaction_id = t.reversed_transaction_id
  order by f.transaction_id
  limit 1
) as b on true
cross join lateral (
  values (coalesce(b.kind, t.kind), case when b.kind is null then 1 else -1 end)
) as w (kind, sign)
cross join lateral (
  values
  (case t.kind when 'release' then p.amount when 'release_refund' then -p.amount end)
) as r (amount)
where s.kind <> 'pocket' and d.kind <> 'pocket';

comment on view pgwallet.flow is
'What each posting adds to what moved in its month: seals and platform_summary sum it up.';

-- From the last seal, of which a month's last row counts, and what came since.
create view pgwallet.platform_summary as
with recursive last_seal as (
  select coalesce(max(e.posting_id), '-9223372036854775808'::bigint) as posting_id
  from (
    select n.posting_id
    from pgwallet.seal as n
    order by n.seal_id desc
    limit 1
  ) as e
),

sealed_month as (
  (
    select
      f.month,
      f.currency
    from pgwallet.seal_flow as f
    order by f.month, f.currency
    limit 1
  )
  union all
  select
    n.month,
    n.currency
  from sealed_month as m
  cross join lateral (
    select
      f.month,
      f.currency
    from pgwallet.seal_flow as f
    where (f.month, f.currency) > (m.month, m.currency)
    order by f.month, f.currency
    limit 1
  ) as n
)

select
  m.month,
  m.deposit_count,
  m.withdrawal_count,
  m.pledge_count,
  m.release_count,
  m.refund_count,
  m.payout_count,
  m.collection_count,
  m.currency,
  round(m.deposited, c.exponent) as deposited_amount,
  round(m.withdrawn, c.exponent) as withdrawn_amount,
  round(m.pledged, c.exponent) as pledged_amount,
  round(m.released, c.exponent) as released_amount,
  round(m.refunded, c.exponent) as refunded_amount,
  round(m.commission, c.exponent) as commission_amount,
  round(m.fee, c.exponent) as fee_amount,
  round(m.net, c.exponent) as net_amount,
  round(m.paid_out, c.exponent) as paid_out_amount,
  round(m.collected, c.exponent) as collected_amount
from (
  select
    f.currency,
    f.month,
    coalesce(sum(f.deposit_count), 0)::bigint as deposit_count,
    coalesce(sum(f.withdrawal_count), 0)::bigint as withdrawal_count,
    coalesce(sum(f.pledge_count), 0)::bigint as pledge_count,
    coalesce(sum(f.release_count), 0)::bigint as release_count,
    coalesce(sum(f.refund_count), 0)::bigint as refund_count,
    coalesce(sum(f.payout_count), 0)::bigint as payout_count,
    coalesce(sum(f.collection_count), 0)::bigint as collection_count,
    coalesce(sum(f.deposited), 0) as deposited,
    coalesce(sum(f.withdrawn), 0) as withdrawn,
    coalesce(sum(f.pledged), 0) as pledged,
    coalesce(sum(f.released), 0) as released,
    coalesce(sum(f.refunded), 0) as refunded,
    coalesce(sum(f.commission), 0) as commission,
    coalesce(sum(f.fee), 0) as fee,
    coalesce(sum(f.net), 0) as net,
    coalesce(sum(f.paid_out), 0) as paid_out,
    coalesce(sum(f.collected), 0) as collected
  from (
    select n.*
    from sealed_month as s
    cross join lateral (
      select g.*
      from pgwallet.seal_flow as g
      where g.month = s.month and g.currency = s.currency
      order by g.seal_id desc
      limit 1
    ) as n
    union all
    select n.*
    from pgwallet.flow as n
    where n.posting_id > (select e.posting_id from last_seal as e)
  ) as f
  group by f.currency, f.month
) as m
inner join pgwallet.currency as c on m.currency = c.currency;

comment on view pgwallet.platform_summary is
'What moved through the platform in each currency and month: of the last seal, and since.';
comment on column pgwallet.platform_summary.month is
'First day of the month, in UTC, in which the movements were recorded.';
comment on column pgwallet.platform_summary.deposit_count is
'How many deposits there were, less those taken back.';
comment on column pgwallet.platform_summary.withdrawal_count is
'How many withdrawals there were, less those taken back.';
comment on column pgwallet.platform_summary.pledge_count is 'How many pledges there were.';
comment on column pgwallet.platform_summary.release_count is
'How many releases gave a project money; a batch counts as one.';
comment on column pgwallet.platform_summary.refund_count is
'How many refunds there were, each escrow of a batch counted.';
comment on column pgwallet.platform_summary.payout_count is
'How many payouts there were, less those taken back.';
comment on column pgwallet.platform_summary.collection_count is
'How often earnings were collected.';
comment on column pgwallet.platform_summary.currency is 'Currency of the amounts.';
comment on column pgwallet.platform_summary.deposited_amount is
'What came into wallets from outside, less deposits taken back.';
comment on column pgwallet.platform_summary.withdrawn_amount is
'What went out of wallets to the outside, less withdrawals taken back.';
comment on column pgwallet.platform_summary.pledged_amount is
'What wallets pledged, with what changes of pledges added or took off.';
comment on column pgwallet.platform_summary.released_amount is
'What was released, before commission and fee, less what of it was refunded later.';
comment on column pgwallet.platform_summary.refunded_amount is 'What went back to wallets.';
comment on column pgwallet.platform_summary.commission_amount is
'What the platform took of releases.';
comment on column pgwallet.platform_summary.fee_amount is 'What payments took of releases.';
comment on column pgwallet.platform_summary.net_amount is 'What projects received of releases.';
comment on column pgwallet.platform_summary.paid_out_amount is
'What was paid out to projects, less payouts taken back.';
comment on column pgwallet.platform_summary.collected_amount is
'What the platform collected of commission and fee.';

-- Outer joins throughout: whatever a posting refers to, it is in the log.
create view pgwallet.transaction_log as
select
  p.posting_id,
  p.transaction_id,
  t.escrow_id,
  t.reversed_transaction_id,
  p.source_account_id,
  p.destination_account_id,
  t.kind,
  s.kind as source_kind,
  coalesce(sw.owner_id, sk.name, sj.reference, se.reference, s.kind::text) as source_name,
  d.kind as destination_kind,
  coalesce(dw.owner_id, dk.name, dj.reference, de.reference, d.kind::text) as destination_name,
  coalesce(sw.owner_id, dw.owner_id) as owner_id,
  coalesce(se.reference, de.reference, sj.reference) as reference,
  t.idempotency_key,
  t.metadata,
  p.created_at,
  coalesce(t.effective_at, p.created_at) as effective_at,
  s.currency,
  p.amount,
  p.source_balance,
  p.destination_balance
from pgwallet.posting as p
left join pgwallet.transaction as t on p.transaction_id = t.transaction_id
left join pgwallet.account as s on p.source_account_id = s.account_id
left join pgwallet.account as d on p.destination_account_id = d.account_id
left join pgwallet.wallet as sw on p.source_account_id = sw.wallet_id
left join pgwallet.wallet as dw on p.destination_account_id = dw.wallet_id
left join pgwallet.pocket as sk on p.source_account_id = sk.pocket_id
left join pgwallet.pocket as dk on p.destination_account_id = dk.pocket_id
left join pgwallet.project as sj on p.source_account_id = sj.project_id
left join pgwallet.project as dj on p.destination_account_id = dj.project_id
left join pgwallet.project as se on p.source_account_id = se.escrow_account_id
left join pgwallet.project as de on p.destination_account_id = de.escrow_account_id;

comment on view pgwallet.transaction_log is
'Each movement of money, with the names of both accounts and what the call said.';
comment on column pgwallet.transaction_log.posting_id is
'Id of the movement; for one account, in the order of its balances.';
comment on column pgwallet.transaction_log.transaction_id is
'The call that made it, maybe with other movements.';
comment on column pgwallet.transaction_log.escrow_id is
'The escrow that it concerns; null for others and for batches.';
comment on column pgwallet.transaction_log.reversed_transaction_id is
'Of a reversal: the transaction that it took back.';
comment on column pgwallet.transaction_log.source_account_id is 'The account that paid.';
comment on column pgwallet.transaction_log.destination_account_id is 'The account that received.';
comment on column pgwallet.transaction_log.kind is 'What the call did.';
comment on column pgwallet.transaction_log.source_kind is 'What the paying account is for.';
comment on column pgwallet.transaction_log.source_name is
'Owner, name of the pocket or reference of the project; else the kind.';
comment on column pgwallet.transaction_log.destination_kind is 'What the receiving account is for.';
comment on column pgwallet.transaction_log.destination_name is
'Owner, name of the pocket or reference of the project; else the kind.';
comment on column pgwallet.transaction_log.owner_id is 'Owner of the wallet that paid or received.';
comment on column pgwallet.transaction_log.reference is
'Reference of the project that it concerns.';
comment on column pgwallet.transaction_log.idempotency_key is
'The caller''s name for the call; null if there was none.';
comment on column pgwallet.transaction_log.metadata is 'What the caller had noted down.';
comment on column pgwallet.transaction_log.created_at is 'When it was recorded.';
comment on column pgwallet.transaction_log.effective_at is
'When it happened outside; when it was recorded, unless the caller said otherwise.';
comment on column pgwallet.transaction_log.currency is 'Currency of the amounts.';
comment on column pgwallet.transaction_log.amount is 'What moved.';
comment on column pgwallet.transaction_log.source_balance is
'What the paying account held afterwards; null if it keeps no balance.';
comment on column pgwallet.transaction_log.destination_balance is
'What the receiving account held afterwards; null if it keeps no balance.';
