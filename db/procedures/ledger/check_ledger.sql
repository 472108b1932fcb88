-- Looks for violations of the six invariants: a row for each, none when the ledger is sound. With
-- p_since_transaction_id it looks at what later transactions touched, against what was stored.
--
-- Stable: it sees one snapshot, whatever goes on meanwhile, and locks nothing.
create or replace function pgwallet.check_ledger(p_since_transaction_id bigint default 0)
returns table (invariant integer, subject text, detail text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_since bigint := coalesce(p_since_transaction_id, 0);
begin
  -- 1. For each account that keeps a balance: balance = postings in - postings out >= 0.
  return query
  with movement as (
    select p.posting_id, p.source_account_id as account_id, -p.amount as amount
    from pgwallet.posting as p
    where p.transaction_id > v_since and p.source_balance is not null
    union all
    select p.posting_id, p.destination_account_id, p.amount
    from pgwallet.posting as p
    where p.transaction_id > v_since and p.destination_balance is not null
  ),

  flow as (
    select m.account_id, sum(m.amount) as amount, min(m.posting_id) as first_posting_id
    from movement as m
    group by m.account_id
  ),

  -- Transactions get their ids before their locks: one up to v_since may have posted later than
  -- one after it. So from the first posting on that is new, all of an account's postings count.
  expected as (
    select
      a.account_id, a.kind, a.balance,
      case
        when v_since > 0 then pgwallet._balance_since(a.account_id, f.first_posting_id)
        else coalesce(f.amount, 0)
      end as amount
    from pgwallet.account as a
    left join flow as f on f.account_id = a.account_id
    where a.balance is not null and (v_since <= 0 or f.account_id is not null)
  )

  select
    1, format('%s %s', e.kind, e.account_id),
    format('The balance is %s, the postings make %s.', e.balance, e.amount)
  from expected as e
  where e.balance <> e.amount or e.balance < 0
  order by e.account_id;

  -- 1. A posting carries balances for just the accounts that keep one.
  return query
  select
    1, format('posting %s', p.posting_id),
    format(
      'From %s (%s) to %s (%s), with balances %s and %s.',
      p.source_account_id, coalesce(s.kind::text, 'unknown'),
      p.destination_account_id, coalesce(d.kind::text, 'unknown'),
      coalesce(p.source_balance::text, 'null'), coalesce(p.destination_balance::text, 'null')
    )
  from pgwallet.posting as p
  left join pgwallet.account as s on s.account_id = p.source_account_id
  left join pgwallet.account as d on d.account_id = p.destination_account_id
  where p.transaction_id > v_since
    and (
      s.account_id is null or d.account_id is null
      or (s.balance is null) <> (p.source_balance is null)
      or (d.balance is null) <> (p.destination_balance is null)
    )
  order by p.posting_id;

  -- 2. For each project: posted into its escrow account - posted out = what is left in its escrows.
  return query
  with touched as (
    select p.project_id, p.reference, p.escrow_account_id
    from pgwallet.project as p
    where v_since <= 0 or p.escrow_account_id in (
      select n.source_account_id from pgwallet.posting as n where n.transaction_id > v_since
      union all
      select n.destination_account_id from pgwallet.posting as n where n.transaction_id > v_since
    )
  ),

  posted as (
    select m.account_id, sum(m.amount) as amount
    from (
      select p.destination_account_id as account_id, p.amount
      from pgwallet.posting as p
      where p.destination_balance is null
      union all
      select p.source_account_id, -p.amount
      from pgwallet.posting as p
      where p.source_balance is null
    ) as m
    inner join touched as t on t.escrow_account_id = m.account_id
    group by m.account_id
  ),

  held as (
    select e.project_id, sum(e.amount - e.released_amount - e.refunded_amount) as amount
    from pgwallet.escrow as e
    inner join touched as t on t.project_id = e.project_id
    group by e.project_id
  )

  select
    2, format('project %s', t.project_id),
    format(
      'Its escrows hold %s, the postings of its escrow account make %s.',
      coalesce(h.amount, 0), coalesce(p.amount, 0)
    )
  from touched as t
  left join posted as p on p.account_id = t.escrow_account_id
  left join held as h on h.project_id = t.project_id
  where coalesce(p.amount, 0) <> coalesce(h.amount, 0)
  order by t.project_id;

  -- 3. For each escrow: 0 <= released + refunded <= amount, commission + fee + net = released.
  return query
  select
    3, format('escrow %s', e.escrow_id),
    format(
      'Of %s, %s were released (%s + %s + %s) and %s refunded; its status is %s.',
      e.amount, e.released_amount, e.commission_amount, e.fee_amount, e.net_amount,
      e.refunded_amount, e.status
    )
  from pgwallet.escrow as e
  where (
    e.released_amount < 0 or e.refunded_amount < 0
    or e.released_amount + e.refunded_amount > e.amount
    or e.commission_amount < 0 or e.fee_amount < 0 or e.net_amount < 0
    or e.commission_amount + e.fee_amount + e.net_amount <> e.released_amount
    or e.status <> pgwallet._escrow_status(e.amount, e.released_amount, e.refunded_amount)
    or not exists (select from pgwallet.project as p where p.project_id = e.project_id)
    or not exists (select from pgwallet.wallet as w where w.wallet_id = e.wallet_id)
  ) and (
    v_since <= 0 or e.project_id in (
      select p.project_id
      from pgwallet.posting as n
      inner join pgwallet.project as p
        on p.escrow_account_id in (n.source_account_id, n.destination_account_id)
      where n.transaction_id > v_since
    )
  )
  order by e.escrow_id;

  -- 4. Each currency sums to zero over all accounts.
  return query
  select
    4, format('currency %s', s.currency),
    format('Its postings make %s over all accounts.', s.amount)
  from (
    select m.currency, sum(m.amount) as amount
    from (
      select a.currency, sum(p.amount) as amount
      from pgwallet.posting as p
      inner join pgwallet.account as a on a.account_id = p.destination_account_id
      where p.transaction_id > v_since
      group by a.currency
      union all
      select a.currency, -sum(p.amount)
      from pgwallet.posting as p
      inner join pgwallet.account as a on a.account_id = p.source_account_id
      where p.transaction_id > v_since
      group by a.currency
    ) as m
    group by m.currency
  ) as s
  where s.amount <> 0
  order by s.currency;

  -- 5. Postings and transactions are never updated or deleted: the triggers stand, and every
  -- posting has its transaction.
  return query
  select
    5, format('table %s', r.name),
    'Its trigger refuse_change is missing or disabled.'
  from (values ('pgwallet.transaction'::regclass), ('pgwallet.posting'::regclass)) as r (name)
  where not exists (
    select
    from pg_trigger as g
    where g.tgrelid = r.name and g.tgname = 'refuse_change' and g.tgenabled = 'A'
  );
  return query
  select
    5, format('posting %s', p.posting_id),
    format('Its transaction %s does not exist.', p.transaction_id)
  from pgwallet.posting as p
  where p.transaction_id > v_since and not exists (
    select from pgwallet.transaction as t where t.transaction_id = p.transaction_id
  )
  order by p.posting_id;

  -- 6. One idempotency key, one effect.
  return query
  select
    6, format('idempotency key %L', t.idempotency_key),
    format('%s transactions carry it.', count(*))
  from pgwallet.transaction as t
  where t.idempotency_key is not null and (
    v_since <= 0 or t.idempotency_key in (
      select n.idempotency_key from pgwallet.transaction as n where n.transaction_id > v_since
    )
  )
  group by t.idempotency_key
  having count(*) > 1
  order by t.idempotency_key;
end;
$function$;

comment on function pgwallet.check_ledger(bigint) is
'Looks for violations of the ledger''s invariants: a row for each, none when it is sound.';
