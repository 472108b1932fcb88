"""Calls with keys: what each key has to move by the catalogue, and what the ledger says it did."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

import pgwallet
from tests.catalogue.call_of import Arguments, without_prefix
from tests.catalogue.calls import CALLS
from tests.catalogue.world import World

# How much came into each account that keeps a balance, or left it.
Moved = dict[int, Decimal]
# The transaction of each key of a call, in their order, and whether it was replayed.
Answer = list[tuple[int, bool]]

RECORDED = """
select t.idempotency_key, t.transaction_id, m.account_id, sum(m.amount)
from pgwallet.transaction as t
left join (
  select p.transaction_id, p.source_account_id, -p.amount from pgwallet.posting as p
  union all
  select p.transaction_id, p.destination_account_id, p.amount from pgwallet.posting as p
) as m (transaction_id, account_id, amount)
  on m.transaction_id = t.transaction_id
  and m.account_id in (select a.account_id from pgwallet.account as a where a.balance is not null)
where t.idempotency_key is not null
group by t.transaction_id, m.account_id
"""


@dataclass(frozen=True, slots=True)
class KeyedCall:
    """`moves` is by key, in their order; `arguments` are by the names that the driver has."""

    name: str
    arguments: Arguments
    moves: dict[str, Moved]

    def run(self, conn: Any) -> Any:
        """Through the driver, on a connection or an async one."""
        return getattr(pgwallet, self.name)(conn, **self.arguments)

    def answer(self, conn: psycopg.Connection) -> Answer:
        result = self.run(conn)
        rows = result if isinstance(result, list) else [result]
        return list(dict.fromkeys((row.transaction_id, row.replayed) for row in rows))


def keyed_call(name: str, key: str, elements: Sequence[tuple[World, Decimal | int]]) -> KeyedCall:
    """A good call that moves these amounts, each in its world; only the first, if it takes one.

    What a bulk call says of all its elements, such as their project, it says of the first.
    """
    call = CALLS[name]
    if not call.is_bulk:
        elements = elements[:1]
    each = [call.good(world, amount) for world, amount in elements]
    arguments = {
        argument: [arguments[argument][0] for arguments in each]
        if isinstance(value, list)
        else value
        for argument, value in each[0].items()
    }
    keys = [key] if len(each) == 1 else [f"{key} {place}" for place in range(1, len(each) + 1)]
    moves = [
        {getattr(world, account): part * amount for account, part in call.moves.items()}
        for world, amount in elements
    ]
    return KeyedCall(
        name,
        without_prefix(call.keyed(arguments, key)),
        dict(zip(keys, moves, strict=True)),
    )


def recorded(conn: psycopg.Connection) -> dict[str, tuple[int, Moved]]:
    """Of each key that the ledger knows: its transaction, and what that moved."""
    found: dict[str, tuple[int, Moved]] = {}
    for key, transaction_id, account_id, amount in conn.execute(RECORDED).fetchall():
        _, moved = found.setdefault(key, (transaction_id, {}))
        if account_id is not None:
            moved[account_id] = amount
    return found
