"""Rows that the ledger would refuse, all of them, before anything moves."""

from dataclasses import dataclass

from .ledger import posted
from .naming import Naming
from .old import Connection


@dataclass(frozen=True, slots=True)
class Problem:
    row: str
    problem: str
    remedy: str


# With the ids of the wallets to look at, null for all, and the decimals of the currency.
_OLD_ROWS = """
with problem as (
  select
    1 as ordinal, w.id as wallet_id, w.id, 'wallet' as kind,
    format('its balance is %%s', w.balance) as problem,
    'Book what is owed, or take it back from its pockets, in the old tables.' as remedy
  from old_wallet as w
  where (w.balance >= 0 and w.balance < 1000000000000000) is not true

  union all

  select
    1, w.id, w.id, 'wallet', format('its balance is %%s', w.balance),
    format('Round it in the old tables: %%s has %%s decimals.', %(currency)s::text, %(exponent)s)
  from old_wallet as w
  where scale(trim_scale(w.balance)) > %(exponent)s::integer

  union all

  select
    1, w.id, w.id, 'wallet', 'another wallet has the same user, or both have none',
    'An owner has one wallet in a currency: merge the two in the old tables.'
  from (
    select w.id, count(*) over (partition by w.user_id) as wallets
    from old_wallet as w
  ) as w
  where w.wallets > 1

  union all

  select
    1, w.id, w.id, 'wallet', format('its pockets have %%s percent together', p.percentage),
    'Lower one of them: 100 is the most.'
  from old_wallet as w
  inner join (
    select p.wallet_id, sum(p.allocation_percentage) as percentage
    from old_pocket as p
    group by p.wallet_id
  ) as p on p.wallet_id = w.id
  where p.percentage > 100

  union all

  select
    2, p.wallet_id, p.id, 'pocket', format('its current_amount is %%s', p.current_amount),
    'Take the money from its wallet, in the old tables.'
  from old_pocket as p
  where (p.current_amount >= 0 and p.current_amount < 1000000000000000) is not true

  union all

  select
    2, p.wallet_id, p.id, 'pocket', format('its %%s is %%s', a.name, a.amount),
    format('Round it in the old tables: %%s has %%s decimals.', %(currency)s::text, %(exponent)s)
  from old_pocket as p
  cross join lateral (
    values ('current_amount', p.current_amount), ('target_amount', p.target_amount)
  ) as a (name, amount)
  where scale(trim_scale(a.amount)) > %(exponent)s::integer

  union all

  select
    2, p.wallet_id, p.id, 'pocket', format('its target_amount is %%s', p.target_amount),
    'Set it to 0 for no target.'
  from old_pocket as p
  where (p.target_amount >= 0 and p.target_amount < 1000000000000000) is false

  union all

  select
    2, p.wallet_id, p.id, 'pocket',
    format('its allocation_percentage is %%s', p.allocation_percentage),
    'Set it to 0 to 100, with up to four decimals.'
  from old_pocket as p
  where (
    p.allocation_percentage between 0 and 100 and scale(trim_scale(p.allocation_percentage)) <= 4
  ) is not true

  union all

  select
    2, p.wallet_id, p.id, 'pocket', 'its name is blank', 'Give it a name.'
  from old_pocket as p
  where (p.name ~ '[^[:space:]]') is not true

  union all

  select
    2, p.wallet_id, p.id, 'pocket', format('its %%s has %%s characters', t.name, length(t.value)),
    'Shorten it: 200 is the most.'
  from old_pocket as p
  cross join lateral (
    values ('name', btrim(p.name)), ('pocket_type', p.pocket_type)
  ) as t (name, value)
  where length(t.value) > 200

  union all

  select
    2, p.wallet_id, p.id, 'pocket',
    format('its name is that of pocket %%s in the same wallet, but for blanks', o.id),
    'Rename one of the two.'
  from old_pocket as p
  inner join old_pocket as o
    on o.wallet_id = p.wallet_id and o.id < p.id and btrim(o.name) = btrim(p.name)

  union all

  select
    3, t.wallet_id, e.id, 'escrow', format('its amount is %%s', e.amount),
    'Correct it, or end the escrow, in the old tables.'
  from old_escrow as e
  left join old_transaction as t on t.id = e.pledge_transaction_id
  where e.status = 'LOCKED'
    and (
      e.amount > 0 and e.amount < 1000000000000000
      and scale(trim_scale(e.amount)) <= %(exponent)s
    ) is not true

  union all

  select
    3, t.wallet_id, e.id, 'escrow',
    format(
      'it is of user %%s, its pledge was taken from the wallet of %%s', e.user_id,
      coalesce('user ' || w.user_id, 'nobody')
    ),
    'Find out whose money it is, and correct the other one.'
  from old_escrow as e
  left join old_transaction as t on t.id = e.pledge_transaction_id
  left join old_wallet as w on w.id = t.wallet_id
  where e.status = 'LOCKED' and w.user_id is distinct from e.user_id

  union all

  select
    3, t.wallet_id, e.id, 'escrow', format('its status is %%s', e.status),
    'LOCKED moves, RELEASED and REFUNDED are history: say which one it is.'
  from old_escrow as e
  left join old_transaction as t on t.id = e.pledge_transaction_id
  where (e.status in ('LOCKED', 'RELEASED', 'REFUNDED')) is not true
)

select format('%%s %%s', p.kind, p.id), p.problem, p.remedy
from problem as p
where %(wallet_ids)s::bigint[] is null or p.wallet_id = any (%(wallet_ids)s)
order by p.ordinal, p.id, p.problem
"""

_LARGEST = """
select e.project_id, max(e.amount)
from old_pledge as e
where e.status = 'LOCKED'
  and (%(wallet_ids)s::bigint[] is null or e.wallet_id = any (%(wallet_ids)s))
group by e.project_id
"""

_LOCKED = """
select e.id, e.amount
from old_pledge as e
where e.status = 'LOCKED' and e.project_id = %(project_id)s
  and (%(wallet_ids)s::bigint[] is null or e.wallet_id = any (%(wallet_ids)s))
"""

_EXISTING = """
select p.reference, p.status::text, p.currency, p.max_pledge
from pgwallet.project as p
where p.reference = any (%s)
order by p.reference
"""


def of_old_rows(
    old: Connection, wallet_ids: list[int] | None, naming: Naming, exponent: int
) -> list[Problem]:
    rows = old.execute(
        _OLD_ROWS,
        {"wallet_ids": wallet_ids, "currency": naming.currency, "exponent": exponent},
    )
    return [Problem(*row) for row in rows]


def of_projects(
    old: Connection, new: Connection, wallet_ids: list[int] | None, naming: Naming
) -> list[Problem]:
    """Projects that are in the ledger already and would refuse a pledge that is still to move.

    Those that have moved do not count: afterwards a project may end as any other does.
    """
    scope = {"wallet_ids": wallet_ids}
    wanted = {
        naming.reference(project_id): (project_id, largest)
        for project_id, largest in old.execute(_LARGEST, scope)
    }
    problems = []
    for reference, status, currency, limit in new.execute(_EXISTING, [list(wanted)]).fetchall():
        project_id, largest = wanted[reference]
        if status == "open" and currency == naming.currency and limit >= largest:
            continue
        locked = {
            naming.escrow_key(escrow_id): amount
            for escrow_id, amount in old.execute(_LOCKED, {**scope, "project_id": project_id})
        }
        for key in posted(new, list(locked)):
            del locked[key]
        if status != "open":
            problem = f"{reference} has {status} in the ledger"
        elif currency != naming.currency:
            problem = f"{reference} is in {currency} in the ledger"
        else:
            problem = f"{reference} takes no pledge above {limit} in the ledger"
            locked = {key: amount for key, amount in locked.items() if amount > limit}
        if locked:
            problems.append(
                Problem(
                    f"project {project_id}",
                    f"{problem}, and {len(locked)} locked escrows are still to move",
                    "End these in the old tables, or take another --project-prefix.",
                )
            )
    return problems
