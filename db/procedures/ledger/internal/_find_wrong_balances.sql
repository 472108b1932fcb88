-- Finds accounts whose balance is not what their postings made of it, one after the other.
--
-- A part of check_ledger, whose argument it takes.
create or replace function pgwallet._find_wrong_balances(p_since_transaction_id bigint)
returns table (invariant integer, subject text, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  v_whole boolean := p_since_transaction_id is null;
  -- Below any id, also one that was forged.
  v_none bigint := '-9223372036854775808'::bigint;
  v_since bigint := coalesce(p_since_transaction_id, v_none);
begin
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
      x.account_id, p.posting_id, p.created_at, p.source_balance as balance,
      case when p.posting_id = x.known_posting_id then p.source_balance else -p.amount end as amount
    from examined as x
    inner join pgwallet.posting as p
      on p.source_account_id = x.account_id and p.posting_id >= x.known_posting_id
    where p.source_balance is not null
    union all
    select
      x.account_id, p.posting_id, p.created_at, p.destination_balance,
      case when p.posting_id = x.known_posting_id then p.destination_balance else p.amount end
    from examined as x
    inner join pgwallet.posting as p
      on p.destination_account_id = x.account_id and p.posting_id >= x.known_posting_id
    where p.destination_balance is not null
  ),

  step as (
    select
      m.account_id, m.posting_id, m.amount, m.balance,
      lag(m.balance, 1, 0.0) over w + m.amount as expected,
      m.created_at < lag(m.created_at) over w as is_earlier
    from movement as m
    window w as (partition by m.account_id order by m.posting_id)
  ),

  made as (
    select
      s.account_id, sum(s.amount) as amount,
      min(s.posting_id) filter (where s.balance <> s.expected) as wrong_posting_id,
      min(s.posting_id) filter (where s.is_earlier) as earlier_posting_id
    from step as s
    group by s.account_id
  )

  select
    1, format('%s %s', a.kind, a.account_id),
    concat_ws(
      ' ',
      format('The balance is %s, the postings make %s.', a.balance, coalesce(m.amount, 0)),
      'Posting ' || m.wrong_posting_id || ' does not go on from the one before.',
      'Posting ' || m.earlier_posting_id || ' has an earlier time than the one before.',
      case
        when a.balance < -a.credit_limit
          then format('Its credit is %s.', round(a.credit_limit, c.exponent))
      end,
      case
        when scale(a.balance) <> c.exponent
          then format('%s has %s decimals.', c.currency, c.exponent)
      end
    )
  from examined as x
  inner join pgwallet.account as a on a.account_id = x.account_id
  inner join pgwallet.currency as c on c.currency = a.currency
  left join made as m on m.account_id = a.account_id
  where a.balance is not null and (
    a.balance <> coalesce(m.amount, 0) or a.balance < -a.credit_limit
    or m.wrong_posting_id is not null or m.earlier_posting_id is not null
    or scale(a.balance) <> c.exponent
  )
  order by a.account_id;
end;
$function$;
