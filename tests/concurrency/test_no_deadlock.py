"""One call in a transaction never deadlocks with others, whatever the order of its arguments."""

import random
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from functools import partial
from threading import Barrier
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.catalogue.calls import BULK, CALLS, KEYED
from tests.catalogue.world import World
from tests.concurrency.calls import assert_books, fresh_world, move, move_in_all
from tests.concurrency.sessions import at_once, read_tables_whole
from tests.conftest import Connect
from tests.effort import effort
from tests.ledger.calling import funded, project

pytestmark = pytest.mark.sql

SESSIONS = 4
ROUNDS = effort("PGWALLET_ROUNDS", part=40, full=150)
WALLETS = 24

# What can be called again and again in one world.
OFTEN = [name for name in KEYED if not CALLS[name].whole]

Keys = list[str] | None


def without_keys(wallets: list[int], number: int) -> Keys:
    return None


def with_keys(wallets: list[int], number: int) -> Keys:
    """The same for every session, so that they race for them in opposite orders."""
    return [f"{number} {wallet_id}" for wallet_id in wallets]


def mixture(
    conn: psycopg.Connection, worlds: dict[int, World], wallets: list[int], number: int
) -> Decimal:
    """Any call that moves an amount, in the first wallet's world, or in all wallets if it can.

    Returns what the wallets have gained by it.
    """
    world = worlds[wallets[0]]
    name = random.Random(f"{number} {world.wallet}").choice([*OFTEN, "refund_expired_escrows"])
    if name in BULK:
        move_in_all(conn, name, world, wallets)
        return CALLS[name].effect("wallet") * len(wallets)
    if name in OFTEN:
        move(conn, name, world, 1)
        return CALLS[name].effect("wallet")
    return pgwallet.refund_expired_escrows(conn, 5).refunded_amount or Decimal(0)


def rich_world(conn: psycopg.Connection) -> World:
    """One in which each call can be made some hundred times."""
    world = fresh_world(conn)
    pgwallet.deposit(conn, world.wallet, 10000)
    pgwallet.transfer_to_pocket(conn, world.pocket, 1000)
    paid_out = pgwallet.pledge(conn, world.wallet, world.open, 500).escrow_id
    pgwallet.release_escrow(conn, paid_out)
    escrow_id = pgwallet.pledge(conn, world.wallet, world.open, 500).escrow_id
    return replace(world, escrow=escrow_id, released_escrow=paid_out)


def wallets_with_a_pocket(conn: psycopg.Connection) -> list[int]:
    wallets = [funded(conn, f"owner {n}", 10000) for n in range(WALLETS)]
    for wallet_id in wallets:
        pgwallet.create_pocket(conn, wallet_id, "half", 50)
    return wallets


def in_rounds(
    connect: Connect, wallets: list[int], call: Callable[[psycopg.Connection, list[int], int], Any]
) -> list[Any]:
    """Four sessions call at once, many times, with the wallets in different orders; the results."""
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
    wallets, world = wallets_with_a_pocket(setup), fresh_world(setup)
    results = in_rounds(
        connect,
        wallets,
        lambda conn, order, number: move_in_all(conn, name, world, order, keys(order, number)),
    )
    effect = CALLS[name].effect("wallet")
    balances = dict.fromkeys(wallets, Decimal(10000))
    for rows in results:
        for row in rows:
            if not row["replayed"]:
                balances[row["wallet_id"]] += effect
    if keys is with_keys:
        assert set(balances.values()) == {10000 + ROUNDS * effect}
    assert_books(setup, balances)


def test_a_mixture_of_calls_never_deadlocks(connect: Connect) -> None:
    setup = connect(autocommit=True)
    worlds = {world.wallet: world for world in (rich_world(setup) for _ in range(WALLETS))}
    wallets = sorted(worlds)
    project_id = project(setup)
    pgwallet.pledge_many(setup, project_id, wallets * 16, [1] * len(wallets) * 16)
    setup.execute(
        "update pgwallet.escrow set expires_at = now() where project_id = %s", [project_id]
    )
    before = sum(pgwallet.balance(setup, each) for each in wallets)
    gained = in_rounds(
        connect, wallets, lambda conn, order, number: mixture(conn, worlds, order, number)
    )
    balances = {each: pgwallet.balance(setup, each) for each in wallets}
    assert sum(balances.values()) == before + sum(gained)
    assert_books(setup, balances)


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
                conn, project_id, chance.randint(2, 2 * WALLETS), last_escrow_id, wait=True
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
