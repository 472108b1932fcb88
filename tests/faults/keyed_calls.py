"""Calls with idempotency keys on a few wallets, and what each key must have moved."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

import psycopg

import pgwallet
from tests.ledger.calling import funded

# Into which accounts a key moved how much, in the order of their ids.
Movements = list[tuple[int, Decimal]]
# The transaction of each key of a call, in their order, and whether it was replayed.
Answer = list[tuple[int, bool]]

BULK = 50  # elements of a call
POCKETS = 10  # of a wallet
PERCENTAGE = 10  # of each pocket: shares of whole amounts need no rounding


@dataclass(frozen=True, slots=True)
class KeyedCall:
    moves: dict[str, Movements]
    run: Callable[[psycopg.Connection], Answer]


@dataclass(frozen=True, slots=True)
class Wallets:
    """Pockets by the wallet that they belong to. The methods make calls with new keys."""

    pockets: dict[int, list[int]]

    def deposit_many(self, name: str, rng: random.Random) -> KeyedCall:
        wallets, keys = self._any(rng), _keys(name)
        amounts = [Decimal(rng.randint(1, 10**6)) / 100 for _ in wallets]

        def run(conn: psycopg.Connection) -> Answer:
            rows = pgwallet.deposit_many(conn, wallets, amounts, keys)
            return [(row.transaction_id, row.replayed) for row in rows]

        return _keyed(keys, ([move] for move in zip(wallets, amounts, strict=True)), run)

    def allocate_deposits(self, name: str, rng: random.Random) -> KeyedCall:
        wallets, keys = self._any(rng), _keys(name)
        amounts = [rng.randint(1, 100) for _ in wallets]

        def run(conn: psycopg.Connection) -> Answer:
            rows = pgwallet.allocate_deposits(conn, wallets, amounts, keys)
            return [(row.transaction_id, row.replayed) for row in rows[::POCKETS]]

        return _keyed(keys, map(self._shares, wallets, amounts), run)

    def allocate_deposit(self, name: str, rng: random.Random) -> KeyedCall:
        wallet_id, amount = rng.choice(list(self.pockets)), rng.randint(1, 100)

        def run(conn: psycopg.Connection) -> Answer:
            result = pgwallet.allocate_deposit(conn, wallet_id, amount, idempotency_key=name)
            assert result.transaction_id is not None
            return [(result.transaction_id, result.replayed)]

        return _keyed([name], [self._shares(wallet_id, amount)], run)

    def _any(self, rng: random.Random) -> list[int]:
        return rng.choices(list(self.pockets), k=BULK)

    def _shares(self, wallet_id: int, amount: int) -> Movements:
        share = Decimal(amount * PERCENTAGE) / 100
        return [(pocket_id, share) for pocket_id in self.pockets[wallet_id]]


def wallets_in(conn: psycopg.Connection) -> Wallets:
    """Ten wallets, each with more money than a test will allocate; committed."""
    pockets = {}
    for wallet in range(10):
        wallet_id = funded(conn, f"owner {wallet}", 10**9)
        pockets[wallet_id] = [
            pgwallet.create_pocket(conn, wallet_id, f"pocket {place}", PERCENTAGE).pocket_id
            for place in range(POCKETS)
        ]
    conn.commit()
    return Wallets(pockets)


def recorded(conn: psycopg.Connection) -> dict[str, tuple[int, Movements]]:
    """Of each key that the ledger knows: its transaction, and what that moved."""
    rows = conn.execute(
        """
        select
          t.idempotency_key, t.transaction_id,
          array_agg(p.destination_account_id order by p.destination_account_id),
          array_agg(p.amount order by p.destination_account_id)
        from pgwallet.transaction as t
        left join pgwallet.posting as p on p.transaction_id = t.transaction_id
        where t.idempotency_key is not null
        group by t.transaction_id
        """
    ).fetchall()
    conn.commit()
    return {
        key: (transaction_id, list(zip(accounts, amounts, strict=True)))
        for key, transaction_id, accounts, amounts in rows
    }


def _keys(name: str) -> list[str]:
    return [f"{name}/{place}" for place in range(BULK)]


def _keyed(
    keys: list[str], moves: Iterable[Movements], run: Callable[[psycopg.Connection], Answer]
) -> KeyedCall:
    return KeyedCall(dict(zip(keys, moves, strict=True)), run)
