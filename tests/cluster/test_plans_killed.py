"""A router's session is killed at any moment of a call on several shards: the same call again, or
`complete_plans`, ends what it began, exactly once.

PGWALLET_PLANS=200 does it so often for each kind of call.
"""

import random
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from threading import Thread
from typing import Protocol, TypeVar

import psycopg
import pytest

import pgwallet
from pgwallet import cluster
from tests.cluster.conftest import SHARDS, released_on_all_shards, wallets_on_all_shards
from tests.effort import effort

TIMES = effort("PGWALLET_PLANS", part=3, full=20)

# As long as the slowest of the calls takes on a machine that has nothing else to do.
LONGEST = 0.08


def _killed(whole: cluster.ClusterFile, call: Callable[[psycopg.Connection], object]) -> None:
    """Makes the call on a connection that is killed at some moment of it, or just after."""
    with psycopg.connect(whole.routers[0], autocommit=True) as conn:
        pid = conn.info.backend_pid
        said: list[BaseException] = []

        def make() -> None:
            try:
                call(conn)
            except psycopg.OperationalError as error:
                said.append(error)

        thread = Thread(target=make)
        thread.start()
        time.sleep(random.uniform(0, LONGEST))
        with psycopg.connect(whole.routers[0], autocommit=True) as admin:
            admin.execute("select pg_terminate_backend(%s)", [pid])
        thread.join()


class _Answer(Protocol):
    @property
    def transaction_id(self) -> int: ...

    @property
    def replayed(self) -> bool: ...


R = TypeVar("R", bound=_Answer)


def _until_done(
    whole: cluster.ClusterFile, call: Callable[[psycopg.Connection], R], seed: int
) -> R:
    """Kills the call some times, then has it completed, and makes it again."""
    random.seed(seed)
    for _ in range(random.randint(1, 3)):
        _killed(whole, call)
    with psycopg.connect(whole.routers[0], autocommit=True) as conn:
        if random.random() < 0.5:
            conn.execute("select * from pgwallet.complete_plans('0')")
        first = call(conn)
        again = call(conn)
        assert first.transaction_id == again.transaction_id
        assert again.replayed
        return again


@pytest.fixture(scope="module", autouse=True)
def checked(whole: cluster.ClusterFile) -> Iterator[None]:
    yield
    with psycopg.connect(whole.routers[0], autocommit=True) as conn:
        assert conn.execute("select * from pgwallet.complete_plans('0')").fetchall() == []
        assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("seed", range(TIMES))
def test_a_payout_and_its_reversal_are_made_once(
    router: psycopg.Connection, whole: cluster.ClusterFile, seed: int
) -> None:
    name = f"killed payout {seed}"
    project = released_on_all_shards(router, name)
    paid = _until_done(whole, lambda conn: pgwallet.payout(conn, project, 35, name), seed)
    assert paid.balance == 10 * SHARDS - 35 == pgwallet.balance(router, project)
    back = _until_done(
        whole,
        lambda conn: pgwallet.reverse_transaction(conn, paid.transaction_id, f"{name} back"),
        seed,
    )
    assert back.amount == 35
    assert pgwallet.balance(router, project) == 10 * SHARDS


@pytest.mark.parametrize("seed", range(TIMES))
def test_a_transfer_and_its_reversal_are_made_once(
    router: psycopg.Connection, whole: cluster.ClusterFile, seed: int
) -> None:
    name = f"killed transfer {seed}"
    here, *_, there = wallets_on_all_shards(router, name)
    pgwallet.deposit(router, here, 10)
    sent = _until_done(whole, lambda conn: pgwallet.transfer(conn, here, there, 7, name), seed)
    assert (sent.from_balance, sent.to_balance) == (Decimal(3), Decimal(7))
    assert [pgwallet.balance(router, wallet) for wallet in (here, there)] == [3, 7]
    _until_done(
        whole,
        lambda conn: pgwallet.reverse_transaction(conn, sent.transaction_id, f"{name} back"),
        seed,
    )
    assert [pgwallet.balance(router, wallet) for wallet in (here, there)] == [10, 0]


@pytest.mark.parametrize("seed", range(TIMES))
def test_a_collection_is_made_once(
    router: psycopg.Connection, whole: cluster.ClusterFile, seed: int
) -> None:
    currency = f"KILL{seed}"
    router.execute("select * from pgwallet.create_currency(%s, 2, 'Killed')", [currency])
    released_on_all_shards(router, currency, currency, Decimal("0.1"))
    got = _until_done(
        whole,
        lambda conn: pgwallet.collect_earnings(conn, currency, "commission", 3, currency),
        seed,
    )
    assert got.balance == 1
