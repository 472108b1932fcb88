"""What one batch of old wallets holds, with the old rows as metadata for the ledger."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .naming import Naming
from .old import Connection


@dataclass(frozen=True, slots=True)
class Wallet:
    id: int
    owner: str
    opening: Decimal
    effective_at: datetime
    metadata: str


@dataclass(frozen=True, slots=True)
class Pocket:
    id: int
    wallet_id: int
    name: str
    pocket_type: str | None
    percentage: Decimal
    target: Decimal | None
    amount: Decimal
    metadata: str


@dataclass(frozen=True, slots=True)
class Escrow:
    id: int
    wallet_id: int
    project_id: str
    amount: Decimal
    locked_at: datetime
    metadata: str


@dataclass(frozen=True, slots=True)
class Batch:
    wallets: list[Wallet]
    pockets: list[Pocket]
    escrows: list[Escrow]


# What a wallet opens with is all that it holds anywhere. The platform's transactions are one for
# each release: of these only the summary is kept, lest they pass what a jsonb can hold.
_WALLETS = """
select
  w.id, w.user_id, w.balance + p.amount + e.amount, coalesce(m.last_at, w.created_at),
  (
    jsonb_build_object(
      'source', %(source)s::text,
      'old_wallet_id', w.id,
      'old_row', w.old_row,
      'unexplained', (w.balance - m.balance)::text,
      'transactions', m.summary,
      'escrows', e.summary
    )
    || case
      when %(history)s and w.user_id is not null then jsonb_build_object(
        'transaction_rows', (
          select jsonb_agg(t.old_row order by t.id)
          from old_transaction as t
          where t.wallet_id = w.id
        ),
        'settled_escrow_rows', (
          select jsonb_agg(s.old_row order by s.id)
          from old_pledge as s
          where s.wallet_id = w.id and s.status <> 'LOCKED'
        )
      )
      else '{}'
    end
  )::text
from old_wallet as w
cross join lateral (
  select coalesce(sum(k.current_amount), 0) as amount
  from old_pocket as k
  where k.wallet_id = w.id
) as p
cross join lateral (
  select
    coalesce(sum(s.amount) filter (where s.status = 'LOCKED'), 0) as amount,
    jsonb_object_agg(
      s.status, jsonb_build_object('count', s.escrows, 'amount', s.amount::text)
    ) filter (where s.status is not null) as summary
  from (
    select o.status, count(*) as escrows, sum(o.amount) as amount
    from old_pledge as o
    where o.wallet_id = w.id
    group by o.status
  ) as s
) as e
cross join lateral (
  select
    max(s.last_at) as last_at, coalesce(sum(s.signed_amount), 0) as balance,
    jsonb_object_agg(
      s.transaction_type,
      jsonb_build_object(
        'count', s.transactions, 'amount', s.amount::text, 'first', s.first_at, 'last', s.last_at
      )
    ) filter (where s.transaction_type is not null) as summary
  from (
    select
      t.transaction_type, count(*) as transactions, sum(t.amount) as amount,
      sum(t.signed_amount) as signed_amount,
      min(t.created_at) as first_at, max(t.created_at) as last_at
    from old_movement as t
    where t.wallet_id = w.id
    group by t.transaction_type
  ) as s
) as m
where w.id = any (%(ids)s)
order by w.id
"""

_POCKETS = """
select
  p.id, p.wallet_id, btrim(p.name), p.pocket_type, p.allocation_percentage,
  nullif(p.target_amount, 0), p.current_amount,
  jsonb_build_object('source', %(source)s::text, 'old_row', p.old_row)::text
from old_pocket as p
where p.wallet_id = any (%(ids)s)
order by p.id
"""

_ESCROWS = """
select
  e.id, e.wallet_id, e.project_id, e.amount, e.created_at,
  jsonb_build_object(
    'source', %(source)s::text, 'old_row', e.old_row, 'pledge_row', e.pledge_row
  )::text
from old_pledge as e
where e.wallet_id = any (%(ids)s) and e.status = 'LOCKED'
order by e.id
"""

_LARGEST_PLEDGES = """
select e.project_id, max(e.amount)
from old_escrow as e
where e.status = 'LOCKED'
group by e.project_id
"""


def read(old: Connection, ids: list[int], naming: Naming, history: bool) -> Batch:
    """With `history` the metadata carries each old transaction, else their counts and sums."""
    parameters = {"ids": ids, "source": naming.source, "history": history}
    wallets = [
        Wallet(wallet_id, naming.owner(user_id), *rest)
        for wallet_id, user_id, *rest in old.execute(_WALLETS, parameters)
    ]
    pockets = [Pocket(*row) for row in old.execute(_POCKETS, parameters)]
    escrows = [Escrow(*row) for row in old.execute(_ESCROWS, parameters)]
    return Batch(wallets, pockets, escrows)


def largest_pledges(old: Connection) -> dict[str, Decimal]:
    """The largest locked escrow of each project, which its limit in the ledger has to admit."""
    return dict(old.execute(_LARGEST_PLEDGES).fetchall())
