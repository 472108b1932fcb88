"""One call in a transaction never deadlocks with others, whatever the order of its arguments."""

import random
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from threading import Barrier
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.concurrency.calls import assert_books
from tests.concurrency.sessions import at_once, read_tables_whole
from tests.conftest import Connect
from tests.ledger.calling import funded, project

pytestmark = pytest.mark.sql

SESSIONS = 4
ROUNDS = 250
WALLETS = 24

Keys = list[str | None]
Bulk = Callable[[psycopg.Connection, list[int], int, Keys], list[Any]]

# Each with what one of its rows, unless it is a replay, adds to the wallet's balance.
BULK: dict[str, tuple[Decimal, Bulk]] = {
    "deposit_many": (
        Decimal(1),
        lambda conn, wallets, project_id, keys: pgwallet.deposit_many(
            conn, wallets, [1] * len(wallets), keys
        ),
    ),
    "allocate_deposits": (
        Decimal("-0.5"),
        lambda conn, wallets, project_id, keys: pgwallet.allocate_deposits(
            conn, wallets, [1] * len(wallets), keys
        ),
    ),
    "pledge_many": (
        Decimal(-1),
        lambda conn, wallets, project_id, keys: pgwallet.pledge_many(
            conn, project_id, wallets, [1] * len(wallets), keys
        ),
    ),
}


def without_keys(wallets: list[int], number: int) -> Keys:
    return [None] * len(wallets)


def with_keys(wallets: list[int], number: int) -> Keys:
    """The same for every session, so that they race for them in opposite orders."""
    return [f"{number} {wallet_id}" for wallet_id in wallets]


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


def wallets_with_a_pocket(conn: psycopg.Connection) -> list[int]:
    wallets = [funded(conn, f"owner {n}", 10000) for n in range(WALLETS)]
    for wallet_id in wallets:
        pgwallet.create_pocket(conn, wallet_id, "half", 50)
    return wallets


def in_rounds(
    connect: Connect, wallets: list[int], call: Callable[[psycopg.Connection, list[int], int], Any]
) -> list[Any]:
    """Four sessions call at once, 250 times, with the wallets in different orders; the results."""
    start = Barrier(SESSIONS)

    def let_the_others_go(done: Future[list[Any]]) -> None:
        if done.exception():
            start.abort()

    def work(conn: psycopg.Connection, session: int) -> list[Any]:
        results = []
        for number in range(ROUNDS):
            order = wallets[:: 1 if session % 2 else -1]
            if session > 1:
                # Of any size: how many they are decides in which order a plan comes to them.
                chance = random.Random(number * SESSIONS + session)
                order = chance.sample(wallets, chance.randint(2, WALLETS))
            start.wait(60)
            # In autocommit mode each call is a transaction of its own.
            results.append(call(conn, order, number))
        return results

    with ThreadPoolExecutor(SESSIONS) as threads:
        futures = [
            threads.submit(work, connect(autocommit=True), session) for session in range(SESSIONS)
        ]
        for future in futures:
            future.add_done_callback(let_the_others_go)
        errors = [error for future in futures if (error := future.exception())]
    assert errors == []
    return [result for future in futures for result in future.result()]


@pytest.mark.parametrize("keys", [without_keys, with_keys])
@pytest.mark.parametrize("name", BULK)
def test_opposite_orders_of_wallets_and_keys_never_deadlock(
    connect: Connect, name: str, keys: Callable[[list[int], int], Keys]
) -> None:
    setup = connect(autocommit=True)
    wallets = wallets_with_a_pocket(setup)
    project_id = project(setup)
    effect, bulk = BULK[name]
    results = in_rounds(
        connect,
        wallets,
        lambda conn, order, number: bulk(conn, order, project_id, keys(order, number)),
    )
    balances = dict.fromkeys(wallets, Decimal(10000))
    for rows in results:
        for row in rows:
            if not row.replayed:
                balances[row.wallet_id] += effect
    if keys is with_keys:
        assert set(balances.values()) == {10000 + ROUNDS * effect}
    assert_books(setup, balances)


def test_a_mixture_of_calls_never_deadlocks(connect: Connect) -> None:
    setup = connect(autocommit=True)
    wallets = wallets_with_a_pocket(setup)
    project_id = project(setup)
    pgwallet.pledge_many(setup, project_id, wallets * 16, [1] * len(wallets) * 16)
    setup.execute("update pgwallet.escrow set expires_at = now()")
    in_rounds(
        connect, wallets, lambda conn, order, number: mixture(conn, order, project_id, number)
    )
    assert_books(setup, {each: pgwallet.balance(setup, each) for each in wallets})


def test_refunds_to_the_same_wallets_by_any_plan_never_deadlock(connect: Connect) -> None:
    setup = connect(autocommit=True)
    wallets = wallets_with_a_pocket(setup)
    projects = [project(setup, f"project {session}") for session in range(SESSIONS)]
    for session, project_id in enumerate(projects):
        orders = [wallets[:: 1 if session % 2 else -1]] * 50
        orders += [random.Random(n).sample(wallets, WALLETS) for n in range(50)]
        pledges = [wallet_id for order in orders for wallet_id in order]
        pgwallet.pledge_many(setup, project_id, pledges, [1] * len(pledges))
        pgwallet.close_project(setup, project_id, "failed")

    def refund_all(conn: psycopg.Connection, project_id: int) -> int:
        chance = random.Random(project_id)
        count, last_escrow_id = 0, 0
        while True:
            batch = pgwallet.refund_escrows(
                conn, project_id, chance.randint(2, 2 * WALLETS), last_escrow_id
            )
            if not batch.escrow_count:
                return count
            count, last_escrow_id = count + batch.escrow_count, batch.last_escrow_id

    sessions = [connect(autocommit=True) for _ in projects]
    for conn in sessions[::2]:
        read_tables_whole(conn)
    counts = at_once(
        [
            partial(refund_all, conn, project_id)
            for conn, project_id in zip(sessions, projects, strict=True)
        ]
    )
    assert counts == [100 * WALLETS] * SESSIONS
    assert_books(setup, dict.fromkeys(wallets, 10000))
