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
set plan_cache_mode = force_custom_plan
as $function$
declare
  v_whole boolean := coalesce(p_since_transaction_id, 0) <= 0;
  -- Below any id, also one that was forged.
  v_none bigint := '-9223372036854775808'::bigint;
  v_since bigint := case when v_whole then v_none else p_since_transaction_id end;
  v_project_ids bigint[];
  v_first_transaction_id bigint;
  v_first_escrow_id bigint;
begin
  -- 1. For each account that keeps a balance: balance = postings in - postings out >= 0, with the
  -- decimals of its currency, and each posting carries the balance that it made of the one before.
  --
  -- Transactions get their ids before their locks: one up to v_since may have posted later than
  -- one after it. So an account is looked at from its last posting before a new one.
  return query
  with changed as (
    select p.posting_id, p.source_account_id as account_id
    from pgwallet.posting as p
    where p.transaction_id > v_since and p.source_balance is not null
    union all
    select p.posting_id, p.destination_account_id
    from pgwallet.posting as p
    where p.transaction_id > v_since and p.destination_balance is not null
  ),

  examined as (
    select a.account_id, v_none as known_posting_id
    from pgwallet.account as a
    where v_whole and a.balance is not null
    union all
    select f.account_id, coalesce(greatest(s.posting_id, d.posting_id), v_none)
    from (
      select c.account_id, min(c.posting_id) as posting_id
      from changed as c
      where not v_whole
      group by c.account_id
    ) as f
    left join lateral (
      select p.posting_id
      from pgwallet.posting as p
      where p.source_account_id = f.account_id and p.source_balance is not null
        and p.posting_id < f.posting_id
      order by p.posting_id desc
      limit 1
    ) as s on true
    left join lateral (
      select p.posting_id
      from pgwallet.posting as p
      where p.destination_account_id = f.account_id and p.destination_balance is not null
        and p.posting_id < f.posting_id
      order by p.posting_id desc
      limit 1
    ) as d on true
  ),

  -- What a known posting left behind counts as the first movement.
  movement as (
    select
      x.account_id, p.posting_id, p.source_balance as balance,
      case when p.posting_id = x.known_posting_id then p.source_balance else -p.amount end as amount
    from examined as x
    inner join pgwallet.posting as p
      on p.source_account_id = x.account_id and p.posting_id >= x.known_posting_id
    where p.source_balance is not null
    union all
    select
      x.account_id, p.posting_id, p.destination_balance,
      case when p.posting_id = x.known_posting_id then p.destination_balance else p.amount end
    from examined as x
    inner join pgwallet.posting as p
      on p.destination_account_id = x.account_id and p.posting_id >= x.known_posting_id
    where p.destination_balance is not null
  ),

  step as (
    select
      m.account_id, m.posting_id, m.amount, m.balance,
      lag(m.balance, 1, 0.0) over (partition by m.account_id order by m.posting_id) + m.amount
      as expected
    from movement as m
  ),

  made as (
    select
      s.account_id, sum(s.amount) as amount,
      min(s.posting_id) filter (where s.balance <> s.expected) as wrong_posting_id
    from step as s
    group by s.account_id
  )

  select
    1, format('%s %s', a.kind, a.account_id),
    concat_ws(
      ' ',
      format('The balance is %s, the postings make %s.', a.balance, coalesce(m.amount, 0)),
      'Posting ' || m.wrong_posting_id || ' does not go on from the one before.',
      case
        when scale(a.balance) <> c.exponent
          then format('%s has %s decimals.', c.currency, c.exponent)
      end
    )
  from examined as x
  inner join pgwallet.account as a on a.account_id = x.account_id
  inner join pgwallet.currency as c on c.currency = a.currency
  left join made as m on m.account_id = a.account_id
  where a.balance <> coalesce(m.amount, 0) or a.balance < 0 or m.wrong_posting_id is not null
    or scale(a.balance) <> c.exponent
  order by a.account_id;

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

  -- Nothing that concerns a project is older than it: its escrows get their ids after its escrow
  -- account got one.
  if not v_whole then
    select array_agg(p.project_id), min(p.first_transaction_id), min(p.escrow_account_id)
    into v_project_ids, v_first_transaction_id, v_first_escrow_id
    from pgwallet.project as p
    where p.escrow_account_id in (
      select n.source_account_id from pgwallet.posting as n where n.transaction_id > v_since
      union all
      select n.destination_account_id from pgwallet.posting as n where n.transaction_id > v_since
    );
  end if;

  -- 2. For each project: posted into its escrow account - posted out = what is left in its escrows.
  return query
  with examined as (
    select p.project_id, p.escrow_account_id
    from pgwallet.project as p
    where v_whole or p.project_id = any(v_project_ids)
  ),

  posted as (
    select m.account_id, sum(m.amount) as amount
    from (
      select p.destination_account_id as account_id, p.amount
      from pgwallet.posting as p
      where p.destination_balance is null
        and (v_whole or p.transaction_id >= v_first_transaction_id)
      union all
      select p.source_account_id, -p.amount
      from pgwallet.posting as p
      where p.source_balance is null
        and (v_whole or p.transaction_id >= v_first_transaction_id)
    ) as m
    inner join examined as x on x.escrow_account_id = m.account_id
    group by m.account_id
  ),

  held as (
    select e.project_id, sum(e.amount - e.released_amount - e.refunded_amount) as amount
    from pgwallet.escrow as e
    inner join examined as x on x.project_id = e.project_id
    where v_whole or e.escrow_id > v_first_escrow_id
    group by e.project_id
  )

  select
    2, format('project %s', x.project_id),
    format(
      'Its escrows hold %s, the postings of its escrow account make %s.',
      coalesce(h.amount, 0), coalesce(p.amount, 0)
    )
  from examined as x
  left join posted as p on p.account_id = x.escrow_account_id
  left join held as h on h.project_id = x.project_id
  where coalesce(p.amount, 0) <> coalesce(h.amount, 0)
  order by x.project_id;

  -- 3. For each escrow: 0 <= released + refunded <= amount, commission + fee + net = released, and
  -- its status is what _escrow_status says, which the planner writes out.
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
    v_whole or (e.project_id = any(v_project_ids) and e.escrow_id > v_first_escrow_id)
  ) and (
    e.released_amount < 0 or e.refunded_amount < 0
    or e.released_amount + e.refunded_amount > e.amount
    or e.commission_amount < 0 or e.fee_amount < 0 or e.net_amount < 0
    or e.commission_amount + e.fee_amount + e.net_amount <> e.released_amount
    or e.status <> pgwallet._escrow_status(e.amount, e.released_amount, e.refunded_amount)
    or not exists (select from pgwallet.project as p where p.project_id = e.project_id)
    or not exists (select from pgwallet.wallet as w where w.wallet_id = e.wallet_id)
  )
  order by e.escrow_id;

  -- 4. Each currency sums to zero over all accounts: a posting within one currency does.
  return query
  select
    4, format('currency %s', m.currency),
    format('Its postings make %s over all accounts.', sum(m.amount))
  from pgwallet.posting as p
  left join pgwallet.account as s on s.account_id = p.source_account_id
  left join pgwallet.account as d on d.account_id = p.destination_account_id
  cross join lateral (values (s.currency, -p.amount), (d.currency, p.amount)) as m (currency, amount)
  where p.transaction_id > v_since
    and s.currency is distinct from d.currency
    and m.currency is not null
  group by m.currency
  having sum(m.amount) <> 0
  order by m.currency;

  -- 5. Postings and transactions are never updated, and nothing is deleted: the triggers stand, and
  -- every posting has its transaction.
  return query
  select
    5, format('table %s', r.name),
    format('Its trigger %s is missing or disabled.', g.name)
  from (
    values
      ('pgwallet.transaction'::regclass), ('pgwallet.posting'), ('pgwallet.account'),
      ('pgwallet.wallet'), ('pgwallet.pocket'), ('pgwallet.project'), ('pgwallet.escrow')
  ) as r (name)
  cross join (values ('refuse_change'), ('refuse_row_change')) as g (name)
  where not exists (
    select
    from pg_trigger as n
    where n.tgrelid = r.name and n.tgname = g.name and n.tgenabled = 'A'
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
    v_whole or t.idempotency_key in (
      select n.idempotency_key from pgwallet.transaction as n where n.transaction_id > v_since
    )
  )
  group by t.idempotency_key
  having count(*) > 1
  order by t.idempotency_key;

  -- 6. Nothing is given out twice: each sequence is ahead of its tables.
  return query
  select
    6, format('sequence %s', s.sequence_name),
    format('It gives out %s next, the tables go up to %s.', s.next_value, s.highest_value)
  from pgwallet.list_sequences() as s
  where s.next_value <= s.highest_value
  order by s.sequence_name;
end;
$function$;

comment on function pgwallet.check_ledger(bigint) is
'Looks for violations of the ledger''s invariants: a row for each, none when it is sound.';
