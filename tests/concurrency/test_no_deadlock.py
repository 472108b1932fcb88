"""One call in a transaction never deadlocks with others, whatever the order of its arguments."""

import random
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.conftest import Connect
from tests.ledger.calling import funded, project

pytestmark = pytest.mark.sql

SESSIONS = 4
ROUNDS = 60
WALLETS = 80

Work = Callable[[psycopg.Connection, list[int], int, int], Any]


def keys(wallets: list[int], number: int) -> list[str]:
    """The same for every session, so that they race for them in opposite orders."""
    return [f"{number} {wallet}" for wallet in wallets]


CALLS: dict[str, Work] = {
    "deposit_many": lambda conn, wallets, project_id, number: pgwallet.deposit_many(
        conn, wallets, [1] * len(wallets)
    ),
    "deposit_many with keys": lambda conn, wallets, project_id, number: pgwallet.deposit_many(
        conn, wallets, [1] * len(wallets), keys(wallets, number)
    ),
    "allocate_deposits": lambda conn, wallets, project_id, number: pgwallet.allocate_deposits(
        conn, wallets, [1] * len(wallets), keys(wallets, number)
    ),
    "pledge_many": lambda conn, wallets, project_id, number: pgwallet.pledge_many(
        conn, project_id, wallets, [1] * len(wallets), keys(wallets, number)
    ),
    "a mixture": lambda conn, wallets, project_id, number: mixture(
        conn, wallets, project_id, number
    ),
}


def mixture(conn: psycopg.Connection, wallets: list[int], project_id: int, number: int) -> Any:
    wallet_id = wallets[0]
    choice = random.Random(f"{number} {wallet_id}").randrange(7)
    if choice == 0:
        return pgwallet.deposit_many(conn, wallets, [1] * len(wallets))
    if choice == 1:
        return pgwallet.pledge_many(conn, project_id, wallets, [1] * len(wallets))
    if choice == 2:
        return pgwallet.allocate_deposits(conn, wallets, [1] * len(wallets))
    if choice == 3:
        return pgwallet.refund_expired_escrows(conn, 5)
    if choice == 4:
        pledge = pgwallet.pledge(conn, wallet_id, project_id, 1)
        return pgwallet.release_escrow(conn, pledge.escrow_id)
    if choice == 5:
        pledge = pgwallet.pledge(conn, wallet_id, project_id, 1)
        return pgwallet.refund_escrow(conn, pledge.escrow_id)
    return pgwallet.allocate_deposit(conn, wallet_id, 1)


@pytest.mark.parametrize("name", CALLS)
def test_opposite_orders_of_wallets_and_keys_never_deadlock(connect: Connect, name: str) -> None:
    setup = connect(autocommit=True)
    wallets = [funded(setup, f"owner {n}", 1000) for n in range(WALLETS)]
    for wallet_id in wallets:
        pgwallet.create_pocket(setup, wallet_id, "half", 50)
    project_id = project(setup)
    pgwallet.pledge_many(setup, project_id, wallets * 4, [1] * len(wallets) * 4)
    setup.execute("update pgwallet.escrow set expires_at = now()")
    start = Barrier(SESSIONS)

    def let_the_others_go(done: Future[None]) -> None:
        if done.exception():
            start.abort()

    def work(conn: psycopg.Connection, session: int) -> None:
        for number in range(ROUNDS):
            order = wallets[:: 1 if session % 2 else -1]
            if session > 1:
                # Of any size: how many they are decides in which order a plan comes to them.
                chance = random.Random(number * SESSIONS + session)
                order = chance.sample(wallets, chance.randint(2, WALLETS))
            start.wait(60)
            # In autocommit mode each call is a transaction of its own.
            CALLS[name](conn, order, project_id, number)

    with ThreadPoolExecutor(SESSIONS) as threads:
        futures = [
            threads.submit(work, connect(autocommit=True), session) for session in range(SESSIONS)
        ]
        for future in futures:
            future.add_done_callback(let_the_others_go)
        errors = [error for future in futures if (error := future.exception())]
    assert errors == []
    assert pgwallet.check_ledger(setup) == []
