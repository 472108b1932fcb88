"""What the ledger has recorded of a storm, on one database or on shards."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import psycopg

from tests.storm.told import Moved

TRANSACTIONS = """
select t.transaction_id, t.kind::text, t.idempotency_key, t.escrow_id
from pgwallet.transaction as t
"""


# With the names of accounts that clients use.
POSTINGS = """
with name as (
  select
    a.account_id,
    case
      when a.balance is not null then a.account_id::text
      when a.kind = 'escrow' then 'escrow ' || p.project_id
      else a.kind || ' ' || a.currency
    end as name
  from pgwallet.account as a
  left join pgwallet.project as p on p.escrow_account_id = a.account_id
)
select
  p.transaction_id, s.name, d.name, p.amount, p.source_balance, p.destination_balance
from pgwallet.posting as p
inner join name as s on s.account_id = p.source_account_id
inner join name as d on d.account_id = p.destination_account_id
order by p.posting_id
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A transaction as the ledger has it."""

    kind: str
    key: str | None
    escrow_id: int | None
    movements: list[tuple[str, str, Decimal]]
    balances: Moved


def recorded(conn: psycopg.Connection) -> dict[int, Recorded]:
    ledger = {
        number: Recorded(kind, key, escrow_id, [], {})
        for number, kind, key, escrow_id in conn.execute(TRANSACTIONS)
    }
    for transaction_id, source, destination, amount, *balances in conn.execute(POSTINGS):
        transaction = ledger[transaction_id]
        transaction.movements.append((source, destination, amount))
        for account, balance in zip((source, destination), balances, strict=True):
            if balance is not None:
                transaction.balances[account] = balance
    return ledger


PLANS = """
select l.idempotency_key, l.state, array(
  select (a.answer ->> 'transaction_id')::bigint
  from jsonb_array_elements(l.answers) with ordinality as a (answer, place)
  order by a.place
)
from pgwallet_shard.plan as l
"""


UNDONE_PARTS = """
select t.transaction_id
from pgwallet_shard.part as p
inner join pgwallet.transaction as t
  on p.transaction_id in (t.transaction_id, t.reversed_transaction_id)
where p.is_cancelled
"""


def in_whole_calls(
    ledger: dict[int, Recorded], shards: Sequence[psycopg.Connection], known: set[int]
) -> dict[int, Recorded]:
    """What several shards did of one call as one; what of it was taken back did not happen."""
    calls = dict(ledger)
    for shard in shards:
        for key, state, parts in shard.execute(PLANS):
            if state == "done":
                one = next((part for part in parts if part in known), parts[0])
                pieces = [calls.pop(part) for part in parts]
                calls[one] = Recorded(
                    pieces[0].kind,
                    key,
                    pieces[0].escrow_id,
                    [movement for piece in pieces for movement in piece.movements],
                    {k: v for piece in pieces for k, v in piece.balances.items()},
                )
        for (undone,) in shard.execute(UNDONE_PARTS):
            del calls[undone]
    return calls
