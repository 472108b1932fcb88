-- Finds accounts that are not of what they should be of, and the other way round, percentages
-- that do not sum, states that do not agree, and names that were given twice.
--
-- A part of check_ledger, whose argument it takes. With it, it looks at the accounts that were
-- touched.
create or replace function pgwallet._find_wrong_holders(p_since_transaction_id bigint)
returns table (invariant integer, subject text, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
declare
  v_whole boolean := p_since_transaction_id is null;
  v_account_ids bigint[];
begin
  if not v_whole then
    select array_agg(distinct m.account_id) into v_account_ids
    from pgwallet.posting as p
    cross join lateral (
      values (p.source_account_id), (p.destination_account_id)
    ) as m (account_id)
    where p.transaction_id > p_since_transaction_id;
  end if;

  -- A wallet and a project have noted down which account is outside for them.
  return query
  with holder as (
    select
      w.wallet_id as account_id, 'wallet' as kind, w.currency, c.external_account_id
    from pgwallet.wallet as w
    left join pgwallet.currency as c on c.currency = w.currency
    where v_whole or w.wallet_id = any(v_account_ids)
    union all
    select k.pocket_id, 'pocket', w.currency, null
    from pgwallet.pocket as k
    left join pgwallet.wallet as w on w.wallet_id = k.wallet_id
    where v_whole or k.pocket_id = any(v_account_ids)
    union all
    select p.project_id, 'project', p.currency, c.external_account_id
    from pgwallet.project as p
    left join pgwallet.currency as c on c.currency = p.currency
    where v_whole or p.project_id = any(v_account_ids)
    union all
    select p.escrow_account_id, 'escrow', p.currency, null
    from pgwallet.project as p
    where v_whole or p.escrow_account_id = any(v_account_ids)
    union all
    select m.account_id, m.kind, c.currency, null
    from pgwallet.currency as c
    cross join lateral (
      values
        ('external', c.external_account_id), ('commission', c.commission_account_id),
        ('fee', c.fee_account_id)
    ) as m (kind, account_id)
    where v_whole or m.account_id = any(v_account_ids)
  ),

  held as (
    select a.account_id, a.kind, a.currency, a.external_account_id
    from pgwallet.account as a
    -- What is on its way between the shards of a cluster is of nobody.
    where (v_whole or a.account_id = any(v_account_ids)) and a.kind <> 'in_transit'
  )

  select
    7, format('%s %s', coalesce(h.kind, a.kind), coalesce(h.account_id, a.account_id)),
    case
      when a.account_id is null then 'It has no account.'
      when h.account_id is null then 'Nothing is there that the account is of.'
      else format(
        'It is a %s in %s, with account %s outside; its account is a %s in %s, with %s.',
        h.kind, coalesce(h.currency, 'no currency'), coalesce(h.external_account_id::text, 'none'),
        a.kind, a.currency, coalesce(a.external_account_id::text, 'none')
      )
    end
  from held as a
  full join holder as h on h.account_id = a.account_id
  where (
    a.kind = h.kind and a.currency = h.currency
    and a.external_account_id is not distinct from h.external_account_id
  ) is not true
  order by 2;

  return query
  select
    7, format('wallet %s', w.wallet_id),
    format(
      'Its allocation_percentage is %s, its pockets make %s.',
      w.allocation_percentage, coalesce(k.percentage, 0)
    )
  from pgwallet.wallet as w
  left join (
    select o.wallet_id, sum(o.allocation_percentage) as percentage
    from pgwallet.pocket as o
    where v_whole or o.wallet_id = any(v_account_ids)
    group by o.wallet_id
  ) as k on k.wallet_id = w.wallet_id
  where (v_whole or w.wallet_id = any(v_account_ids))
    and (w.allocation_percentage <> coalesce(k.percentage, 0) or k.percentage > 100)
  order by w.wallet_id;

  return query
  select 7, format('wallet %s', o.wallet_id), o.detail
  from pgwallet._find_wrong_owners(
    case when not v_whole then coalesce(v_account_ids, '{}') end
  ) as o;

  -- What an account says too much of only costs time; what it does not say is not kept.
  return query
  select
    7, format('wallet %s', k.wallet_id),
    'Its account says that its pockets have no rules, but one stops at its target or takes the rest.'
  from pgwallet.pocket as k
  inner join pgwallet.account as a on a.account_id = k.wallet_id
  where (v_whole or k.wallet_id = any(v_account_ids))
    and k.closed_at is null and (k.stop_at_target or k.takes_rest) and not a.has_rules
  group by k.wallet_id
  order by k.wallet_id;
  -- A freeze and a closing are noted down twice, for who reads one of both alone.
  return query
  select
    7, format('%s %s', a.kind, a.account_id),
    concat_ws(
      ' ',
      case
        when a.credit_limit <> 0 and a.kind not in ('wallet', 'project')
          then format('It has a credit of %s.', a.credit_limit)
      end,
      case
        when a.frozen_at is not null and a.kind not in ('wallet', 'project')
          then format('It was frozen at %s.', a.frozen_at)
      end,
      case
        when j.project_id is not null and a.frozen_at is distinct from j.frozen_at
          then format(
            'Its account was frozen at %s, the project at %s.',
            coalesce(a.frozen_at::text, 'no time'), coalesce(j.frozen_at::text, 'no time')
          )
      end,
      case
        when k.pocket_id is not null and a.closed_at is distinct from k.closed_at
          then format(
            'Its account was closed at %s, the pocket at %s.',
            coalesce(a.closed_at::text, 'no time'), coalesce(k.closed_at::text, 'no time')
          )
      end,
      case
        when a.closed_at is not null and a.kind not in ('wallet', 'pocket')
          then format('It was closed at %s.', a.closed_at)
      end,
      case
        when a.closed_at is not null and k.pocket_id is not null and a.balance <> 0
          then format('It is closed, and holds %s.', a.balance)
      end,
      case
        when w.closed_at is not null and a.closed_at is null
          then format('Its wallet was closed at %s, the pocket was not.', w.closed_at)
      end
    )
  from pgwallet.account as a
  left join pgwallet.project as j on j.project_id = a.account_id
  left join pgwallet.pocket as k on k.pocket_id = a.account_id
  left join pgwallet.account as w on w.account_id = k.wallet_id
  where (v_whole or a.account_id = any(v_account_ids))
    and (
      (a.kind not in ('wallet', 'project') and (a.credit_limit <> 0 or a.frozen_at is not null))
      or (j.project_id is not null and a.frozen_at is distinct from j.frozen_at)
      or (k.pocket_id is not null and a.closed_at is distinct from k.closed_at)
      or (
        a.closed_at is not null
        and (a.kind not in ('wallet', 'pocket') or (k.pocket_id is not null and a.balance <> 0))
      )
      or (w.closed_at is not null and a.closed_at is null)
    )
  order by a.account_id;

  -- From a closed wallet nothing leaves; only what is given back still reaches it, as of a transfer
  -- to another shard that did not arrive.
  return query
  select
    7, format('wallet %s', a.account_id),
    format(
      'It was closed at %s; posting %s moved its money at %s.',
      a.closed_at, p.posting_id, p.created_at
    )
  from pgwallet.account as a
  cross join lateral (
    select o.posting_id, o.created_at
    from pgwallet.posting as o
    where o.source_account_id = a.account_id and o.source_balance is not null
      and o.created_at > a.closed_at
    union all
    select i.posting_id, i.created_at
    from pgwallet.posting as i
    left join pgwallet.transaction as t on t.transaction_id = i.transaction_id
    left join pgwallet.account as s on s.account_id = i.source_account_id
    where i.destination_account_id = a.account_id and i.destination_balance is not null
      and i.created_at > a.closed_at and (t.kind in ('refund', 'release_refund')) is not true
      and (t.kind = 'reversal' and s.kind = 'in_transit') is not true
  ) as p
  where a.kind = 'wallet' and (v_whole or a.account_id = any(v_account_ids))
  order by a.account_id, p.posting_id;

  -- Unique indexes refuse these, unless they are gone or damaged.
  return query
  select
    7, format('owner %L', w.owner_id),
    format(
      'These wallets in %s are theirs: %s.', w.currency,
      string_agg(w.wallet_id::text, ', ' order by w.wallet_id)
    )
  from pgwallet.wallet as w
  where v_whole or w.owner_id in (
    select n.owner_id from pgwallet.wallet as n where n.wallet_id = any(v_account_ids)
  )
  group by w.owner_id, w.currency
  having count(*) > 1
  union all
  select
    7, format('wallet %s', k.wallet_id),
    format(
      'These pockets are called %L: %s.', k.name,
      string_agg(k.pocket_id::text, ', ' order by k.pocket_id)
    )
  from pgwallet.pocket as k
  where k.closed_at is null and (
    v_whole or k.wallet_id in (
      select n.wallet_id from pgwallet.pocket as n where n.pocket_id = any(v_account_ids)
    )
  )
  group by k.wallet_id, k.name
  having count(*) > 1
  union all
  select
    7, format('wallet %s', k.wallet_id),
    format(
      'These pockets take the rest: %s.', string_agg(k.pocket_id::text, ', ' order by k.pocket_id)
    )
  from pgwallet.pocket as k
  where k.takes_rest and (
    v_whole or k.wallet_id in (
      select n.wallet_id from pgwallet.pocket as n where n.pocket_id = any(v_account_ids)
    )
  )
  group by k.wallet_id
  having count(*) > 1
  union all
  select
    7, format('reference %L', p.reference),
    format(
      'These projects have it: %s.', string_agg(p.project_id::text, ', ' order by p.project_id)
    )
  from pgwallet.project as p
  where v_whole or p.reference in (
    select n.reference from pgwallet.project as n where n.project_id = any(v_account_ids)
  )
  group by p.reference
  having count(*) > 1
  order by 2;
end;
$function$;
