"""psycopg's pool as the example sets it: transactions, retries and connections that broke."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool

import pgwallet
from examples import connection_pool
from tests.conftest import Connect
from tests.examples.scripts import run_example, shown


@pytest.fixture
def pool(database: str) -> Iterator[ConnectionPool[psycopg.Connection[Any]]]:
    with connection_pool.pool_for(database) as pool:
        yield pool


@pytest.fixture
def wallet_id(connect: Connect) -> int:
    """A wallet with 100 EUR."""
    conn = connect()
    wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
    pgwallet.deposit(conn, wallet_id, 100)
    conn.commit()
    return wallet_id


def test_the_example_prints_what_the_page_shows(database: str) -> None:
    printed = run_example("connection_pool", database)
    assert printed == shown("how-to/connection-poolers.md", "connection_pool")


def pay_too_much(conn: psycopg.Connection[Any], wallet_id: int) -> None:
    conn.execute("create table note as select 'paid' as text")
    pgwallet.deposit(conn, wallet_id, 5)
    pgwallet.withdraw(conn, wallet_id, 5000)


def test_a_rollback_takes_the_ledgers_part_with_it(
    pool: ConnectionPool[psycopg.Connection[Any]], connect: Connect, wallet_id: int
) -> None:
    with pytest.raises(pgwallet.InsufficientFunds), pool.connection() as conn:
        pay_too_much(conn, wallet_id)

    other = connect()
    assert pgwallet.balance(other, wallet_id) == 100
    assert other.execute("select to_regclass('note')").fetchone() == (None,)


def test_connections_that_the_server_has_cut_are_replaced(
    pool: ConnectionPool[psycopg.Connection[Any]], connect: Connect, wallet_id: int
) -> None:
    pool.wait()
    cut = connect(autocommit=True).execute(
        """
        select pg_terminate_backend(a.pid, 10000)
        from pg_stat_activity as a
        where a.application_name = 'shop' and a.datname = current_database()
        """
    )
    with pool.connection() as conn:
        pgwallet.deposit(conn, wallet_id, 5)

    assert cut.rowcount == 2
    assert pgwallet.balance(connect(), wallet_id) == 105


def test_each_connection_waits_for_a_lock_as_long_as_the_pool_says(
    pool: ConnectionPool[psycopg.Connection[Any]],
) -> None:
    with pool.connection() as conn:
        assert conn.execute("show lock_timeout").fetchone() == ("5s",)


@pytest.mark.skipif(sys.platform != "linux", reason="psycopg traces the protocol on Linux alone")
@pytest.mark.parametrize(("autocommit", "round_trips"), [(False, 3), (True, 1)])
def test_a_single_call_is_one_round_trip_in_autocommit_and_three_otherwise(
    database: str, wallet_id: int, tmp_path: Path, autocommit: bool, round_trips: int
) -> None:
    log = tmp_path / "log"
    with (
        ConnectionPool(database, min_size=1, kwargs={"autocommit": autocommit}) as pool,
        pool.connection() as conn,
        log.open("wb") as file,
    ):
        conn.pgconn.trace(file.fileno())
        pgwallet.deposit(conn, wallet_id, 5)
        conn.commit()
        conn.pgconn.untrace()

    assert log.read_text().count("\tReadyForQuery\t") == round_trips
