"""Calls of the catalogue to race with, and the books that must be right after them."""

from decimal import Decimal
from itertools import count
from typing import Any

import psycopg

import pgwallet
from tests import clusters
from tests.catalogue.calls import CALLS, MOVING
from tests.catalogue.world import HOLDS, World, world_in
from tests.ledger.calling import call, project, value

_numbers = count(1)
# By the name of a database: up to which transaction its ledger was found sound.
_looked_at: dict[str, int] = {}

# What changes a wallet or its pocket waits for the wallet.
OF_WALLETS = [name for name in MOVING if {"wallet", "pocket"} & set(CALLS[name].moves)]


def fresh(kind: str) -> str:
    """A name for an owner, a project or a key that nothing else has."""
    return f"{kind} {next(_numbers)}"


def fresh_project(conn: psycopg.Connection) -> int:
    rate = Decimal("0.1")
    return project(conn, fresh("project"), commission_rate=rate, fee_rate=rate)


def fresh_world(conn: psycopg.Connection) -> World:
    return world_in(conn, fresh(" of world"))


def move(
    conn: psycopg.Connection, name: str, world: World, amount: int, key: str | None = None
) -> list[dict[str, Any]]:
    """Calls the function so that this amount moves; returns its rows."""
    arguments = CALLS[name].good(world, amount)
    return call(conn, name, **(CALLS[name].keyed(arguments, key) if key else arguments))


def move_in_all(
    conn: psycopg.Connection,
    name: str,
    world: World,
    wallets: list[int],
    keys: list[str] | None = None,
) -> list[dict[str, Any]]:
    """Calls a bulk function so that one unit moves in each of the wallets; returns its rows."""
    arguments = CALLS[name].good(world, 1)
    arguments |= {"p_wallet_ids": wallets, "p_amounts": arguments["p_amounts"] * len(wallets)}
    return call(conn, name, **arguments, p_idempotency_keys=keys)


def assert_moved(conn: psycopg.Connection, world: World, moved: dict[str, Any]) -> None:
    """The books are right, and of each function that is named so much has moved in all."""
    balances = {
        getattr(world, account): held
        + sum(amount * CALLS[name].effect(account) for name, amount in moved.items())
        for account, held in HOLDS.items()
    }
    assert_books(conn, balances)


def assert_books(conn: psycopg.Connection, balances: dict[int, Any]) -> None:
    """The ledger is sound, these accounts hold exactly that, and each posting led to the next."""
    assert_sound(conn)
    assert_balances(conn, balances)


def assert_sound(conn: psycopg.Connection) -> None:
    """Looks at what is new since the last look; the whole comes when the module is done."""
    last = value(conn, "select max(transaction_id) from pgwallet.transaction")
    assert pgwallet.check_ledger(conn, _looked_at.get(conn.info.dbname, 0)) == []
    if not clusters.are_tested():  # there each shard has ids of its own
        _looked_at[conn.info.dbname] = last or 0


def assert_balances(conn: psycopg.Connection, balances: dict[int, Any]) -> None:
    """The same of these accounts alone, which takes a tenth of the time."""
    for account_id, balance in balances.items():
        assert pgwallet.balance(conn, account_id) == balance
        running = Decimal(0)
        times = []
        for row in pgwallet.statement(conn, account_id, limit=10000):
            running += row.amount
            assert row.balance == running, f"a gap in account {account_id} at {row}"
            times.append(row.created_at)
        assert running == balance
        assert times == sorted(times)
