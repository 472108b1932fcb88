"""How often a call goes to the server, as libpq itself records it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

import pgwallet

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="psycopg traces the protocol on Linux alone"
)


@contextmanager
def traced(conn: psycopg.Connection, log: Path) -> Iterator[list[str]]:
    """Yields a list that holds, after the block, each answer that ended a round trip."""
    answers: list[str] = []
    with log.open("wb") as file:
        conn.pgconn.trace(file.fileno())
        yield answers
        conn.pgconn.untrace()
    answers += [line for line in log.read_text().splitlines() if "\tReadyForQuery\t" in line]


def test_the_trace_counts_round_trips(conn: psycopg.Connection, tmp_path: Path) -> None:
    conn.execute("select 1")
    with traced(conn, tmp_path / "log") as answers:
        conn.execute("select 1")
        conn.execute("select %s", [1])
    assert len(answers) == 2


def test_an_allocation_over_100_pockets_is_one_round_trip(
    conn: psycopg.Connection, tmp_path: Path
) -> None:
    wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
    for number in range(100):
        pgwallet.create_pocket(conn, wallet_id, f"pocket {number}", 1)
    pgwallet.deposit(conn, wallet_id, 1000)
    with traced(conn, tmp_path / "log") as answers:
        allocation = pgwallet.allocate_deposit(conn, wallet_id, 1000, metadata={"from": "salary"})
    assert len(allocation.shares) == 100
    assert len(answers) == 1


def test_a_thousand_deposits_are_one_round_trip(conn: psycopg.Connection, tmp_path: Path) -> None:
    wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
    with traced(conn, tmp_path / "log") as answers:
        rows = pgwallet.deposit_many(conn, [wallet_id] * 1000, range(1, 1001))
    assert len(rows) == 1000
    assert len(answers) == 1


def test_on_autocommit_a_batch_of_a_release_is_one_round_trip(
    database: str, tmp_path: Path
) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
        project_id = pgwallet.create_project(conn, "bridge").project_id
        pgwallet.deposit(conn, wallet_id, 30)
        pgwallet.pledge_many(conn, project_id, [wallet_id] * 3, [10] * 3)
        batches = pgwallet.release_project(conn, project_id, 2)
        next(batches)
        with traced(conn, tmp_path / "log") as answers:
            assert next(batches).escrow_count == 1
    assert len(answers) == 1


def test_a_repeated_call_is_prepared(conn: psycopg.Connection) -> None:
    wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
    for amount in range(1, 20):
        pgwallet.deposit(conn, wallet_id, amount, f"key {amount}", {"n": amount})
    prepared = conn.execute(
        "select count(*) from pg_prepared_statements where statement like '%pgwallet.deposit(%'"
    ).fetchone()
    assert prepared == (1,)
