"""What the old tables do not account for: balances that their own transactions do not explain.

The opening balances are what the tables say, right or wrong; what is found here is a debt or a gift
that the move would carry over, and that nobody will find more easily afterwards.
"""

from dataclasses import dataclass
from decimal import Decimal

from .old import Connection


@dataclass(frozen=True, slots=True)
class Finding:
    """`said` is what the rows say, `explained` what the transactions come to."""

    finding: str
    rows: int
    said: Decimal
    explained: Decimal
    examples: str


# Of each wallet and kind of amount, what is said and what is explained; then only what differs.
_FINDINGS = """
with chosen as (
  select w.id, w.balance
  from old_wallet as w
  where %(wallet_ids)s::bigint[] is null or w.id = any (%(wallet_ids)s)
),

moved as (
  select
    m.wallet_id,
    sum(m.signed_amount) as balance,
    coalesce(sum(m.amount) filter (where m.transaction_type = 'POCKET_TRANSFER'), 0) as pockets,
    coalesce(sum(m.amount) filter (where m.transaction_type = 'REFUND'), 0) as refunded
  from old_movement as m
  where %(wallet_ids)s::bigint[] is null or m.wallet_id = any (%(wallet_ids)s)
  group by m.wallet_id
),

compared as (
  select
    1 as ordinal, 'wallet balances' as finding, w.id,
    w.balance as said, coalesce(m.balance, 0) as explained
  from chosen as w
  left join moved as m on m.wallet_id = w.id

  union all

  select 2, 'money in pockets', w.id, coalesce(p.amount, 0), coalesce(m.pockets, 0)
  from chosen as w
  left join moved as m on m.wallet_id = w.id
  left join (
    select p.wallet_id, sum(p.current_amount) as amount
    from old_pocket as p
    group by p.wallet_id
  ) as p on p.wallet_id = w.id

  union all

  select 3, 'refunded escrows', w.id, coalesce(e.amount, 0), coalesce(m.refunded, 0)
  from chosen as w
  left join moved as m on m.wallet_id = w.id
  left join (
    select e.wallet_id, sum(e.amount) as amount
    from old_pledge as e
    where e.status = 'REFUNDED'
    group by e.wallet_id
  ) as e on e.wallet_id = w.id

  union all

  select 4, 'locked escrows', e.wallet_id, e.amount, e.pledged_amount
  from old_pledge as e
  inner join chosen as w on w.id = e.wallet_id
  where e.status = 'LOCKED'
)

select
  c.finding, count(*)::integer, sum(c.said), sum(c.explained),
  array_to_string((array_agg(c.id order by c.id))[:5], ', ')
from compared as c
where c.said <> c.explained
group by c.ordinal, c.finding
order by c.ordinal
"""

# A release pays a commission to the platform and the rest to whoever runs the project.
_RELEASED = """
select
  'released escrows' as finding, e.escrows::integer, e.amount, m.amount, '' as examples
from (
  select count(*) as escrows, coalesce(sum(e.amount), 0) as amount
  from old_escrow as e
  where e.status = 'RELEASED'
) as e
cross join (
  select coalesce(sum(m.amount), 0) as amount
  from old_movement as m
  where m.transaction_type in ('RELEASE', 'COMMISSION')
) as m
where e.amount <> m.amount
"""


def findings(old: Connection, wallet_ids: list[int] | None) -> list[Finding]:
    """Of all wallets, or of those given; releases belong to projects, so only of all."""
    rows = old.execute(_FINDINGS, {"wallet_ids": wallet_ids}).fetchall()
    if wallet_ids is None:
        rows += old.execute(_RELEASED).fetchall()
    return [Finding(*row) for row in rows]
