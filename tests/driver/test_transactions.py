"""run_transaction against real deadlocks, serialization failures and lock timeouts."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool, ConnectionPool

import pgwallet
from pgwallet import run_transaction
from tests.conftest import Connect


def two_wallets(conn: psycopg.Connection) -> tuple[int, int]:
    first, second = (pgwallet.create_wallet(conn, owner).wallet_id for owner in ("ada", "bob"))
    conn.commit()
    return first, second


def balances(conn: psycopg.Connection, *wallets: int) -> list[int]:
    result = [int(pgwallet.balance(conn, wallet_id)) for wallet_id in wallets]
    conn.rollback()
    return result


def test_it_commits_and_returns_the_result(connect: Connect) -> None:
    conn, other = connect(), connect()
    wallet_id, _ = two_wallets(conn)
    deposit = run_transaction(conn, lambda conn: pgwallet.deposit(conn, wallet_id, 5))
    assert deposit.balance == 5
    assert conn.info.transaction_status == TransactionStatus.IDLE
    assert balances(other, wallet_id) == [5]


def test_it_commits_on_an_autocommit_connection(connect: Connect) -> None:
    conn, other = connect(autocommit=True), connect()
    wallet_id, _ = two_wallets(conn)

    def deposit_twice(conn: psycopg.Connection) -> int:
        pgwallet.deposit(conn, wallet_id, 5)
        assert balances(other, wallet_id) == [0]
        pgwallet.deposit(conn, wallet_id, 6)
        return wallet_id

    assert run_transaction(conn, deposit_twice) == wallet_id
    assert balances(other, wallet_id) == [11]


def test_an_error_undoes_everything_and_passes(connect: Connect) -> None:
    conn = connect()
    wallet_id, _ = two_wallets(conn)
    runs = []

    def fail(conn: psycopg.Connection) -> None:
        runs.append(pgwallet.deposit(conn, wallet_id, 5))
        pgwallet.withdraw(conn, wallet_id, 50)

    with pytest.raises(pgwallet.InsufficientFunds):
        run_transaction(conn, fail)
    assert len(runs) == 1
    assert balances(conn, wallet_id) == [0]


def test_a_rollback_undoes_everything_and_passes(connect: Connect) -> None:
    conn = connect()
    wallet_id, _ = two_wallets(conn)

    def undo(conn: psycopg.Connection) -> None:
        pgwallet.deposit(conn, wallet_id, 5)
        raise psycopg.Rollback

    with pytest.raises(psycopg.Rollback):
        run_transaction(conn, undo)
    assert balances(conn, wallet_id) == [0]


def test_a_swallowed_error_is_not_taken_for_success(connect: Connect) -> None:
    conn = connect()
    wallet_id, _ = two_wallets(conn)

    def swallow(conn: psycopg.Connection) -> None:
        pgwallet.deposit(conn, wallet_id, 5)
        with suppress(pgwallet.InsufficientFunds):
            pgwallet.withdraw(conn, wallet_id, 50)

    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        run_transaction(conn, swallow)
    assert balances(conn, wallet_id) == [0]


def test_a_savepoint_may_catch_what_fails(connect: Connect) -> None:
    conn = connect()
    wallet_id, _ = two_wallets(conn)

    def take_what_is_there(conn: psycopg.Connection) -> None:
        pgwallet.deposit(conn, wallet_id, 5)
        try:
            with conn.transaction():
                pgwallet.withdraw(conn, wallet_id, 50)
        except pgwallet.InsufficientFunds:
            pgwallet.withdraw(conn, wallet_id, 2)

    run_transaction(conn, take_what_is_there)
    assert balances(conn, wallet_id) == [3]


def crossing(
    barrier: threading.Barrier, runs: list[int], first: int, second: int
) -> Callable[[psycopg.Connection], None]:
    """Locks two wallets in the order given; the first runs of two such calls deadlock."""

    def deposit_twice(conn: psycopg.Connection) -> None:
        runs.append(first)
        pgwallet.deposit(conn, first, 1)
        if len(runs) <= 2:
            barrier.wait(20)
        pgwallet.deposit(conn, second, 1)

    return deposit_twice


def test_a_deadlock_is_run_again(connect: Connect) -> None:
    observer = connect()
    ada, bob = two_wallets(observer)
    barrier, runs = threading.Barrier(2), list[int]()
    with ThreadPoolExecutor() as threads:
        for future in [
            threads.submit(run_transaction, connect(), crossing(barrier, runs, ada, bob)),
            threads.submit(run_transaction, connect(), crossing(barrier, runs, bob, ada)),
        ]:
            future.result(60)
    assert len(runs) > 2
    assert balances(observer, ada, bob) == [2, 2]


def test_a_deadlock_passes_once_attempts_are_used_up(connect: Connect) -> None:
    observer = connect()
    ada, bob = two_wallets(observer)
    barrier, runs = threading.Barrier(2), list[int]()
    with ThreadPoolExecutor() as threads:
        errors = [
            future.exception(60)
            for future in [
                threads.submit(run_transaction, connect(), crossing(barrier, runs, *pair), 1)
                for pair in ((ada, bob), (bob, ada))
            ]
        ]
    assert len(runs) == 2
    (deadlock,) = [error for error in errors if error is not None]
    assert isinstance(deadlock, psycopg.errors.DeadlockDetected)
    assert balances(observer, ada, bob) == [1, 1]


def test_a_serialization_failure_is_run_again(connect: Connect) -> None:
    conn, rival = connect(), connect(autocommit=True)
    wallet_id, _ = two_wallets(conn)
    conn.isolation_level = IsolationLevel.REPEATABLE_READ
    runs = []

    def deposit_after_a_rival(conn: psycopg.Connection) -> None:
        runs.append(pgwallet.balance(conn, wallet_id))
        if len(runs) <= 2:
            pgwallet.deposit(rival, wallet_id, 10)
        pgwallet.deposit(conn, wallet_id, 1)

    run_transaction(conn, deposit_after_a_rival)
    assert runs == [0, 10, 20]
    assert balances(rival, wallet_id) == [21]


def test_attempts_limits_the_runs(connect: Connect) -> None:
    conn, rival = connect(), connect(autocommit=True)
    wallet_id, _ = two_wallets(conn)
    conn.isolation_level = IsolationLevel.SERIALIZABLE
    runs = []

    def always_lose(conn: psycopg.Connection) -> None:
        runs.append(pgwallet.balance(conn, wallet_id))
        pgwallet.deposit(rival, wallet_id, 10)
        pgwallet.deposit(conn, wallet_id, 1)

    with pytest.raises(psycopg.errors.SerializationFailure):
        run_transaction(conn, always_lose, attempts=3)
    assert len(runs) == 3
    assert conn.info.transaction_status == TransactionStatus.IDLE
    assert balances(rival, wallet_id) == [30]


def test_a_lock_timeout_is_run_again(connect: Connect) -> None:
    conn, holder = connect(), connect()
    wallet_id, _ = two_wallets(conn)
    conn.execute("set lock_timeout = '20ms'")
    conn.commit()
    pgwallet.deposit(holder, wallet_id, 10)
    runs = []

    def deposit_in_vain(conn: psycopg.Connection) -> None:
        runs.append(wallet_id)
        if len(runs) == 2:
            holder.commit()
        pgwallet.deposit(conn, wallet_id, 1)

    run_transaction(conn, deposit_in_vain)
    assert len(runs) == 2
    assert balances(conn, wallet_id) == [11]


@pytest.mark.parametrize(("sqlstate", "expected"), [("08001", 2), ("08007", 1)])
def test_a_shard_not_reached_is_tried_again_and_one_without_an_answer_is_not(
    connect: Connect, sqlstate: str, expected: int
) -> None:
    runs = []

    def fail_once(conn: psycopg.Connection) -> None:
        runs.append(conn)
        if len(runs) == 1:
            raise psycopg.errors.lookup(sqlstate)

    with suppress(psycopg.errors.lookup("08007")):
        run_transaction(connect(), fail_once)
    assert len(runs) == expected


@pytest.mark.parametrize("attempts", [0, -1])
def test_attempts_below_one_are_refused(connect: Connect, attempts: int) -> None:
    with pytest.raises(ValueError, match="attempts"):
        run_transaction(connect(), lambda conn: None, attempts)


@pytest.mark.parametrize("statement", ["select 1", "select 1/0"], ids=["open", "failed"])
def test_a_connection_in_a_transaction_is_refused(connect: Connect, statement: str) -> None:
    conn = connect()
    with suppress(psycopg.errors.DivisionByZero):
        conn.execute(statement.encode())
    before = conn.info.transaction_status
    with pytest.raises(psycopg.ProgrammingError, match="commit or roll back first"):
        run_transaction(conn, lambda conn: pytest.fail("ran"))
    assert conn.info.transaction_status == before


def test_only_a_connection_or_a_pool_will_do() -> None:
    wrong: Any = "dbname=postgres"
    with pytest.raises(TypeError, match=r"not builtins\.str"):
        run_transaction(wrong, lambda conn: None)


def test_it_takes_a_connection_of_a_pool_for_each_attempt(connect: Connect, database: str) -> None:
    rival = connect(autocommit=True)
    wallet_id, _ = two_wallets(rival)
    runs = []

    def deposit_after_a_rival(conn: psycopg.Connection) -> int:
        runs.append(pgwallet.balance(conn, wallet_id))
        if len(runs) == 1:
            pgwallet.deposit(rival, wallet_id, 10)
        return int(pgwallet.deposit(conn, wallet_id, 1).balance)

    def repeatable_read(conn: psycopg.Connection) -> None:
        conn.isolation_level = IsolationLevel.REPEATABLE_READ

    with ConnectionPool(database, min_size=1, configure=repeatable_read, open=True) as pool:
        assert run_transaction(pool, deposit_after_a_rival) == 11
    assert len(runs) == 2
    assert balances(rival, wallet_id) == [11]


def test_it_runs_on_an_async_connection_and_an_async_pool(connect: Connect, database: str) -> None:
    rival = connect(autocommit=True)
    wallet_id, _ = two_wallets(rival)
    runs = []

    async def deposit_after_a_rival(aconn: psycopg.AsyncConnection) -> int:
        runs.append(await pgwallet.balance(aconn, wallet_id))
        if len(runs) % 2:
            pgwallet.deposit(rival, wallet_id, 10)
        return int((await pgwallet.deposit(aconn, wallet_id, 1)).balance)

    async def repeatable_read(aconn: psycopg.AsyncConnection) -> None:
        await aconn.set_isolation_level(IsolationLevel.REPEATABLE_READ)

    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(database) as aconn:
            await repeatable_read(aconn)
            assert await run_transaction(aconn, deposit_after_a_rival) == 11
            assert aconn.info.transaction_status == TransactionStatus.IDLE
            deposit = await run_transaction(
                aconn, lambda aconn: pgwallet.deposit(aconn, wallet_id, 1)
            )
            assert deposit.balance == 12
        async with AsyncConnectionPool(
            database, min_size=1, configure=repeatable_read, open=False
        ) as pool:
            assert await run_transaction(pool, deposit_after_a_rival) == 23

    asyncio.run(main())
    assert len(runs) == 4
    assert balances(rival, wallet_id) == [23]


def test_async_errors_pass_and_undo_everything(connect: Connect, database: str) -> None:
    observer = connect()
    wallet_id, _ = two_wallets(observer)

    async def fail(aconn: psycopg.AsyncConnection) -> None:
        await pgwallet.deposit(aconn, wallet_id, 5)
        await pgwallet.withdraw(aconn, wallet_id, 50)

    async def swallow(aconn: psycopg.AsyncConnection) -> None:
        with suppress(pgwallet.InsufficientFunds):
            await fail(aconn)

    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(database) as aconn:
            with pytest.raises(pgwallet.InsufficientFunds):
                await run_transaction(aconn, fail)
            with pytest.raises(psycopg.errors.InFailedSqlTransaction):
                await run_transaction(aconn, swallow)
            with pytest.raises(ValueError, match="attempts"):
                await run_transaction(aconn, fail, 0)
            await aconn.execute("select 1")
            with pytest.raises(psycopg.ProgrammingError):
                await run_transaction(aconn, fail)

    asyncio.run(main())
    assert balances(observer, wallet_id) == [0]
