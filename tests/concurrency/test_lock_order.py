"""A call that waits for one wallet or key holds those that come before it, and no others."""

from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.catalogue.calls import BULK, CALLS, KEYED
from tests.concurrency.calls import (
    OF_WALLETS,
    fresh,
    fresh_project,
    fresh_world,
    move,
    move_in_all,
)
from tests.concurrency.sessions import all_blocked, blocked, read_tables_whole
from tests.conftest import Connect
from tests.ledger.calling import funded, value

pytestmark = pytest.mark.sql

WALLETS = 12
MIDDLE = 5

# refund_expired_escrows waits for no wallet.
REFUNDS: dict[str, Callable[[psycopg.Connection, int], Any]] = {
    "refund_escrows": lambda conn, project_id: pgwallet.refund_escrows(conn, project_id, wait=True),
}


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


def scattered(conn: psycopg.Connection) -> tuple[list[int], int]:
    """Wallets with a pocket each that lie in the table in another order than that of their ids.

    So a plan that reads the table from its beginning comes to them in the wrong order. All
    have pledged to a project, in a third order.
    """
    wallets = [funded(conn, fresh("owner"), 100) for _ in range(WALLETS)]
    for wallet_id in wallets:
        pgwallet.create_pocket(conn, wallet_id, "half", 50)
    project_id = fresh_project(conn)
    pgwallet.pledge_many(conn, project_id, wallets[::2] + wallets[::-2], [1] * WALLETS)
    for wallet_id in reversed(wallets):
        pgwallet.deposit(conn, wallet_id, 1)
    lie = (
        "select array_agg(account_id order by ctid) from pgwallet.account "
        "where account_id = any(%s)"
    )
    assert value(conn, lie, wallets) != wallets
    return wallets, project_id


def held(prober: psycopg.Connection) -> set[int]:
    """The accounts with a balance that other transactions have locked."""
    kept = "from pgwallet.account where kind in ('wallet', 'pocket', 'project')"
    locked = value(
        prober,
        f"""
        select array(
          select account_id {kept}
          except
          select account_id
          from (select account_id {kept} for no key update skip locked) as free
        )
        """,
    )
    prober.rollback()
    return set(locked)


@pytest.mark.parametrize("name", [*BULK, *REFUNDS])
def test_wallets_are_locked_by_id(connect: Connect, name: str) -> None:
    holder, prober, observer = connect(), connect(), connect(autocommit=True)
    waiter = connect(autocommit=True)
    wallets, project_id = scattered(observer)
    order = wallets[1::2] + wallets[-2::-2]
    call: Callable[[], Any]
    if name in BULK:
        call = partial(move_in_all, waiter, name, fresh_world(observer), order)
    else:
        call = partial(REFUNDS[name], waiter, project_id)
        pgwallet.close_project(observer, project_id, "failed")
    read_tables_whole(waiter)
    holder.execute(
        "select from pgwallet.account where account_id = %s for update", [wallets[MIDDLE]]
    )
    with blocked(waiter, observer, call) as waiting:
        try:
            assert held(prober) == set(wallets[: MIDDLE + 1])
        finally:
            holder.rollback()
        waiting.result()
    assert pgwallet.check_ledger(observer) == []


@pytest.mark.parametrize("name", OF_WALLETS)
def test_a_call_that_waits_for_a_wallet_holds_no_pocket(connect: Connect, name: str) -> None:
    holder, prober, waiter, observer = connect(), connect(), connect(), connect(autocommit=True)
    world = fresh_world(observer)
    holder.execute("select from pgwallet.account where account_id = %s for update", [world.wallet])
    with blocked(waiter, observer, partial(move, waiter, name, world, 10)) as waiting:
        try:
            assert held(prober) == {world.wallet}
        finally:
            holder.rollback()
        waiting.result()


@pytest.mark.parametrize("name", [name for name in KEYED if CALLS[name].takes("p_escrow_id")])
def test_a_call_that_waits_for_an_escrow_holds_no_account(connect: Connect, name: str) -> None:
    holder, prober, waiter, observer = connect(), connect(), connect(), connect(autocommit=True)
    world = fresh_world(observer)
    escrow_id = CALLS[name].good(world, 10)["p_escrow_id"]
    holder.execute("select from pgwallet.escrow where escrow_id = %s for update", [escrow_id])
    with blocked(waiter, observer, partial(move, waiter, name, world, 10)) as waiting:
        try:
            assert held(prober) == set()
        finally:
            holder.rollback()
        waiting.result()


@pytest.mark.parametrize("name", BULK)
def test_keys_are_locked_in_their_order(connect: Connect, name: str) -> None:
    """Two calls that come to the keys from either end would each hold what the other wants."""
    holder, observer = connect(), connect(autocommit=True)
    sessions = [connect(autocommit=True) for _ in range(2)]
    (wallets, _), world = scattered(observer), fresh_world(observer)
    prefix = fresh("key")
    keys = [f"{prefix} {n:02}" for n in range(WALLETS)]
    # Its work is undone, so that both go on to the keys behind it.
    pgwallet.deposit(holder, funded(observer, fresh("holder"), 0), 1, keys[MIDDLE])
    calls = [
        (sessions[0], partial(move_in_all, sessions[0], name, world, wallets, keys)),
        (sessions[1], partial(move_in_all, sessions[1], name, world, wallets[::-1], keys[::-1])),
    ]
    with all_blocked(observer, calls) as waiting:
        holder.rollback()
        results = [future.result() for future in waiting]
    assert [[row["replayed"] for row in rows] for rows in results].count([False] * WALLETS) == 1
    keyed = "select count(*) from pgwallet.transaction where idempotency_key = any(%s)"
    assert value(observer, keyed, keys) == WALLETS
    assert pgwallet.check_ledger(observer) == []
