"""release_project and refund_project: batches, each committed on its own."""

import asyncio
import subprocess
import sys
import threading
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus

import pgwallet
from pgwallet import RefundBatch, ReleaseBatch
from tests.concurrency.calls import fresh
from tests.conftest import Connect
from tests.waiting import wait_until_blocked

Settle = Callable[..., Iterator[ReleaseBatch] | Iterator[RefundBatch]]


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


def pledged(conn: psycopg.Connection, pledges: int) -> tuple[int, int]:
    """A project with escrows of 10 each, all from one wallet; returns both ids."""
    name = fresh("bridge")
    wallet_id = pgwallet.create_wallet(conn, name).wallet_id
    project_id = pgwallet.create_project(conn, name).project_id
    pgwallet.deposit(conn, wallet_id, 10 * pledges)
    pgwallet.pledge_many(conn, project_id, [wallet_id] * pledges, [10] * pledges)
    conn.commit()
    return project_id, wallet_id


def left_locked(conn: psycopg.Connection, project_id: int) -> int:
    row = conn.execute(
        "select count(*) from pgwallet.escrow where project_id = %s and status = 'locked'",
        [project_id],
    ).fetchone()
    conn.rollback()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("autocommit", [False, True])
def test_a_release_commits_each_batch_before_it_yields(connect: Connect, autocommit: bool) -> None:
    conn, observer = connect(autocommit=autocommit), connect()
    project_id, _ = pledged(observer, 5)
    seen: list[tuple[object, ...]] = []
    for batch in pgwallet.release_project(conn, project_id, batch_size=2):
        assert conn.info.transaction_status == TransactionStatus.IDLE
        seen.append((batch.escrow_count, batch.gross_amount, left_locked(observer, project_id)))
    assert seen == [(2, 20, 3), (2, 20, 1), (1, 10, 0)]
    assert pgwallet.balance(observer, project_id) == Decimal("46.05")
    assert pgwallet.check_ledger(observer) == []


@pytest.mark.parametrize("autocommit", [False, True])
def test_a_refund_commits_each_batch_before_it_yields(connect: Connect, autocommit: bool) -> None:
    conn, observer = connect(autocommit=autocommit), connect()
    project_id, wallet_id = pledged(observer, 5)
    seen: list[tuple[object, ...]] = []
    for batch in pgwallet.refund_project(conn, project_id, batch_size=2):
        assert conn.info.transaction_status == TransactionStatus.IDLE
        seen.append((batch.escrow_count, batch.refunded_amount, left_locked(observer, project_id)))
    assert seen == [(2, 20, 3), (2, 20, 1), (1, 10, 0)]
    assert pgwallet.balance(observer, wallet_id) == 50
    assert pgwallet.check_ledger(observer) == []


@pytest.mark.parametrize("autocommit", [False, True])
def test_an_async_connection_yields_the_same_batches(
    connect: Connect, database: str, autocommit: bool
) -> None:
    observer = connect()
    project_id, _ = pledged(observer, 5)

    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(database, autocommit=autocommit) as aconn:
            seen = []
            async for batch in pgwallet.release_project(aconn, project_id, 2):
                seen.append((batch.escrow_count, left_locked(observer, project_id)))
            assert seen == [(2, 3), (2, 1), (1, 0)]
            with pytest.raises(pgwallet.ProjectClosed):
                await anext(pgwallet.refund_project(aconn, project_id))

    asyncio.run(main())


def test_an_async_refund_can_stop_half_way(connect: Connect, database: str) -> None:
    observer = connect()
    project_id, wallet_id = pledged(observer, 5)

    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(database) as aconn:
            async for _ in pgwallet.refund_project(aconn, project_id, 2):
                break
            assert aconn.info.transaction_status == TransactionStatus.IDLE
            assert await pgwallet.balance(aconn, wallet_id) == 20
            await aconn.rollback()
            assert [b.escrow_count async for b in pgwallet.refund_project(aconn, project_id)] == [3]

    asyncio.run(main())
    assert pgwallet.balance(observer, wallet_id) == 50


def test_nothing_happens_before_the_first_step(connect: Connect) -> None:
    conn = connect(autocommit=True)
    project_id, wallet_id = pledged(conn, 2)
    batches = pgwallet.release_project(conn, project_id)
    assert pgwallet.get_project(conn, project_id).status == "open"
    next(batches)
    assert pgwallet.get_project(conn, project_id).status == "succeeded"
    with pytest.raises(pgwallet.ProjectClosed):
        pgwallet.pledge(conn, wallet_id, project_id, 1)


@pytest.mark.parametrize("settle", [pgwallet.release_project, pgwallet.refund_project])
def test_who_never_takes_the_first_step_is_told_that_nothing_was_done(
    connect: Connect, database: str, settle: Settle
) -> None:
    conn = connect(autocommit=True)
    project_id, _ = pledged(conn, 2)
    said = f"{settle.__name__} was never iterated, so it did nothing"

    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(database) as aconn:
            with pytest.warns(RuntimeWarning, match=said):
                settle(aconn, project_id)

    with pytest.warns(RuntimeWarning, match=said) as warned:
        settle(conn, project_id)
    assert warned[0].filename == __file__
    asyncio.run(main())
    assert left_locked(conn, project_id) == 2
    with warnings.catch_warnings(action="error"):
        next(iter(settle(conn, project_id)))


def test_who_stops_half_way_can_go_on(connect: Connect) -> None:
    conn = connect()
    project_id, _ = pledged(conn, 5)
    for batch in pgwallet.release_project(conn, project_id, 2):
        assert batch.escrow_count == 2
        break
    assert conn.info.transaction_status == TransactionStatus.IDLE
    assert left_locked(conn, project_id) == 3
    assert [b.escrow_count for b in pgwallet.release_project(conn, project_id)] == [3]
    assert list(pgwallet.release_project(conn, project_id)) == []
    assert pgwallet.balance(conn, project_id) == Decimal("46.05")


def test_a_transaction_begun_between_batches_stops_the_next(connect: Connect) -> None:
    conn = connect()
    project_id, wallet_id = pledged(conn, 3)
    batches = pgwallet.release_project(conn, project_id, 2)
    next(batches)
    pgwallet.deposit(conn, wallet_id, 1)
    with pytest.raises(psycopg.ProgrammingError, match="commit or roll back first"):
        next(batches)
    assert pgwallet.balance(conn, wallet_id) == 1


@pytest.mark.parametrize("settle", [pgwallet.release_project, pgwallet.refund_project])
def test_a_connection_in_a_transaction_is_refused_at_once(connect: Connect, settle: Settle) -> None:
    conn = connect()
    project_id, _ = pledged(conn, 1)
    conn.execute("select 1")
    with pytest.raises(psycopg.ProgrammingError, match="commit or roll back first"):
        settle(conn, project_id)
    conn.rollback()
    with conn.transaction(), pytest.raises(psycopg.ProgrammingError):
        settle(conn, project_id)
    assert pgwallet.get_project(conn, project_id).status == "open"


@pytest.mark.parametrize("settle", [pgwallet.release_project, pgwallet.refund_project])
@pytest.mark.parametrize("batch_size", [0, -5, None])
def test_a_bad_batch_size_leaves_the_project_open(
    connect: Connect, settle: Settle, batch_size: Any
) -> None:
    conn = connect()
    project_id, _ = pledged(conn, 1)
    with pytest.raises(pgwallet.InvalidArgument):
        list(settle(conn, project_id, batch_size))
    assert pgwallet.get_project(conn, project_id).status == "open"


@pytest.mark.parametrize("settle", [pgwallet.release_project, pgwallet.refund_project])
def test_wrong_types_are_refused_at_once(connect: Connect, settle: Settle) -> None:
    conn = connect()
    with pytest.raises(TypeError, match=r"^project_id must be an int"):
        settle(conn, "1")
    with pytest.raises(TypeError, match=r"^batch_size must be an int"):
        settle(conn, 1, 1.5)
    with pytest.raises(TypeError, match=r"not builtins\.NoneType"):
        settle(None, 1)


def test_an_unknown_project_is_not_found(connect: Connect) -> None:
    for project_id in (7, 2**70):
        with pytest.raises(pgwallet.ProjectNotFound):
            list(pgwallet.release_project(connect(), project_id))


def test_a_huge_batch_size_takes_everything(connect: Connect) -> None:
    conn = connect()
    project_id, _ = pledged(conn, 3)
    assert [b.escrow_count for b in pgwallet.release_project(conn, project_id, 2**40)] == [3]


def test_the_last_pass_waits_for_an_escrow_that_is_held(connect: Connect) -> None:
    conn, holder, observer = connect(), connect(), connect(autocommit=True)
    project_id, wallet_id = pledged(conn, 5)
    # The holder gives back a part of one escrow, and takes its time.
    row = conn.execute(
        "select min(escrow_id) from pgwallet.escrow where project_id = %s", [project_id]
    ).fetchone()
    conn.rollback()
    assert row is not None
    pgwallet.refund_escrow(holder, row[0], 4)
    pid = conn.info.backend_pid
    with ThreadPoolExecutor() as threads:
        batches = threads.submit(lambda: list(pgwallet.release_project(conn, project_id, 3)))
        wait_until_blocked(observer, pid)
        assert left_locked(observer, project_id) == 1
        holder.commit()
        done = batches.result(60)
    assert [b.escrow_count for b in done] == [3, 1, 1]
    assert [b.gross_amount for b in done] == [30, 10, 6]
    assert pgwallet.balance(observer, wallet_id) == 4
    assert pgwallet.check_ledger(observer) == []


def test_a_batch_that_cannot_get_its_locks_is_run_again(connect: Connect) -> None:
    conn, holder = connect(), connect()
    project_id, _ = pledged(conn, 2)
    row = conn.execute(
        "select min(escrow_id) from pgwallet.escrow where project_id = %s", [project_id]
    ).fetchone()
    assert row is not None
    conn.execute("set lock_timeout = '300ms'")
    conn.commit()
    pgwallet.refund_escrow(holder, row[0], 4)
    letting_go = threading.Timer(0.5, holder.rollback)
    letting_go.start()
    counts = [batch.escrow_count for batch in pgwallet.release_project(conn, project_id)]
    letting_go.join()
    assert counts == [1, 1]


def test_two_releases_at_once_release_each_escrow_once(connect: Connect) -> None:
    conn = connect()
    project_id, _ = pledged(conn, 200)
    with ThreadPoolExecutor() as threads:
        futures = [
            threads.submit(lambda conn: list(pgwallet.release_project(conn, project_id, 10)), each)
            for each in (connect(), connect())
        ]
        batches = [batch for future in futures for batch in future.result(60)]
    assert sum(batch.escrow_count for batch in batches) == 200
    assert sum(batch.gross_amount for batch in batches) == 2000
    assert pgwallet.check_ledger(conn) == []


RELEASE = """
import resource, sys, psycopg, pgwallet
def peak():
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024
with psycopg.connect(sys.argv[1]) as conn:
    before = peak()
    released = sum(b.escrow_count for b in pgwallet.release_project(conn, int(sys.argv[2])))
print(released, peak() - before)
"""


def test_releasing_a_thousand_escrows_takes_less_than_ten_megabytes_more(
    connect: Connect, database: str
) -> None:
    project_id, _ = pledged(connect(), 1000)
    # A process of its own, since the peak of this one may lie behind it.
    output = subprocess.check_output(
        [sys.executable, "-c", RELEASE, database, str(project_id)], text=True
    )
    released, more = map(int, output.split())
    assert released == 1000
    assert more < 10 * 2**20


def test_memory_does_not_grow_with_the_project(connect: Connect) -> None:
    conn = connect()
    peaks = []
    for pledges in (10, 100, 1000):
        project_id, _ = pledged(conn, pledges)
        tracemalloc.start()
        counts = sum(b.escrow_count for b in pgwallet.release_project(conn, project_id, 2))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert counts == pledges
    # The first also fills caches. Keeping each batch's result would take 400 KB more.
    assert peaks[2] < peaks[1] + 100_000
