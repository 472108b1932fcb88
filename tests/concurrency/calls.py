"""Every function that moves money, so that races can be run with each of them."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

import psycopg

import pgwallet
from tests.ledger.calling import call, funded, project

Arguments = dict[str, Any]

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class World:
    """Ids: a wallet with 100 EUR, its only pocket with 20, and a project with 16 of proceeds.

    The pocket receives half of what is allocated. The escrow holds 30; of what is released from
    it, the project gets eight tenths.
    """

    wallet: int
    pocket: int
    project: int
    escrow: int


def fresh(kind: str) -> str:
    """A name for an owner, a project or a key that nothing else has."""
    return f"{kind} {next(_numbers)}"


def fresh_project(conn: psycopg.Connection) -> int:
    rate = Decimal("0.1")
    return project(conn, fresh("project"), commission_rate=rate, fee_rate=rate)


def fresh_world(conn: psycopg.Connection) -> World:
    wallet_id = funded(conn, fresh("owner"), 170)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "holiday", 50).pocket_id
    pgwallet.transfer_to_pocket(conn, pocket_id, 20)
    project_id = fresh_project(conn)
    escrow_id = pgwallet.pledge(conn, wallet_id, project_id, 50).escrow_id
    pgwallet.release_escrow(conn, escrow_id, 20)
    return World(wallet_id, pocket_id, project_id, escrow_id)


@dataclass(frozen=True, slots=True)
class Move:
    """Arguments of a call that moves so much, and which part of it each account gains."""

    arguments: Callable[[World, int], Arguments]
    wallet: int = 0
    pocket: int = 0
    project: Decimal = Decimal(0)


# An allocation asks for twice the amount, of which the only pocket takes half.
OF_WALLETS = {
    "deposit": Move(lambda w, n: {"p_wallet_id": w.wallet, "p_amount": n}, wallet=1),
    "withdraw": Move(lambda w, n: {"p_wallet_id": w.wallet, "p_amount": n}, wallet=-1),
    "allocate_deposit": Move(
        lambda w, n: {"p_wallet_id": w.wallet, "p_amount": 2 * n}, wallet=-1, pocket=1
    ),
    "transfer_to_pocket": Move(
        lambda w, n: {"p_pocket_id": w.pocket, "p_amount": n}, wallet=-1, pocket=1
    ),
    "transfer_from_pocket": Move(
        lambda w, n: {"p_pocket_id": w.pocket, "p_amount": n}, wallet=1, pocket=-1
    ),
    "pledge": Move(
        lambda w, n: {"p_wallet_id": w.wallet, "p_project_id": w.project, "p_amount": n}, wallet=-1
    ),
    "refund_escrow": Move(lambda w, n: {"p_escrow_id": w.escrow, "p_amount": n}, wallet=1),
    "deposit_many": Move(lambda w, n: {"p_wallet_ids": [w.wallet], "p_amounts": [n]}, wallet=1),
    "allocate_deposits": Move(
        lambda w, n: {"p_wallet_ids": [w.wallet], "p_amounts": [2 * n]}, wallet=-1, pocket=1
    ),
    "pledge_many": Move(
        lambda w, n: {"p_project_id": w.project, "p_wallet_ids": [w.wallet], "p_amounts": [n]},
        wallet=-1,
    ),
}
OF_PROJECTS = {
    "release_escrow": Move(
        lambda w, n: {"p_escrow_id": w.escrow, "p_amount": n}, project=Decimal("0.8")
    ),
    "payout": Move(lambda w, n: {"p_project_id": w.project, "p_amount": n}, project=Decimal(-1)),
}
MOVES = {**OF_WALLETS, **OF_PROJECTS}


def move(
    conn: psycopg.Connection, name: str, world: World, amount: int, key: str | None = None
) -> list[dict[str, Any]]:
    """Calls the function so that this amount moves; returns its rows."""
    arguments = MOVES[name].arguments(world, amount)
    if key is not None and "p_amounts" in arguments:
        arguments["p_idempotency_keys"] = [key]
    elif key is not None:
        arguments["p_idempotency_key"] = key
    return call(conn, name, **arguments)


def assert_books(conn: psycopg.Connection, balances: dict[int, Any]) -> None:
    """The ledger is sound, these accounts hold exactly that, and each posting led to the next."""
    assert pgwallet.check_ledger(conn) == []
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
