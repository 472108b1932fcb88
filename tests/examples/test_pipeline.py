"""Pipeline mode gives right results, and what it gains, loses and hides is as the page says."""

import sys
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

import pgwallet
from examples import pipeline
from tests.conftest import Connect
from tests.examples.scripts import run_example, shown


@pytest.fixture
def wallet_ids(connect: Connect) -> list[int]:
    """Ten wallets with 100 EUR each."""
    conn = connect()
    wallet_ids = [pgwallet.create_wallet(conn, f"owner {number}").wallet_id for number in range(10)]
    pgwallet.deposit_many(conn, wallet_ids, [100] * 10)
    conn.commit()
    return wallet_ids


def balances(connect: Connect, wallet_ids: list[int]) -> list[int]:
    conn = connect(autocommit=True)
    return [int(pgwallet.balance(conn, wallet_id)) for wallet_id in wallet_ids]


def test_the_example_prints_what_the_page_shows(database: str) -> None:
    assert run_example("pipeline", database) == shown("how-to/connection-poolers.md", "pipeline")


def test_calls_in_a_pipeline_return_what_they_return_without(
    connect: Connect, wallet_ids: list[int]
) -> None:
    conn = connect(autocommit=True)
    with conn.transaction(), conn.pipeline():
        left = [pgwallet.withdraw(conn, wallet_id, 30).balance for wallet_id in wallet_ids]
        again = pgwallet.deposit(conn, wallet_ids[0], 5, idempotency_key="k")
        replay = pgwallet.deposit(conn, wallet_ids[0], 5, idempotency_key="k")

    assert left == [70] * 10
    assert (again.replayed, replay.replayed) == (False, True)
    assert balances(connect, wallet_ids) == [75] + [70] * 9


def test_a_rollback_takes_all_of_a_pipeline_with_it(
    connect: Connect, wallet_ids: list[int]
) -> None:
    with pytest.raises(pgwallet.InsufficientFunds):
        pipeline.withdraw_from_all(
            connect(autocommit=True), [*wallet_ids, wallet_ids[0]], Decimal(60)
        )
    assert balances(connect, wallet_ids) == [100] * 10


@pytest.mark.skipif(sys.platform != "linux", reason="psycopg traces the protocol on Linux alone")
@pytest.mark.parametrize(
    ("withdraw", "waits"), [("one after the other", range(10, 15)), ("pipelined", range(1, 4))]
)
def test_only_calls_that_are_read_in_the_end_save_round_trips(
    connect: Connect, wallet_ids: list[int], tmp_path: Path, withdraw: str, waits: range
) -> None:
    conn = connect(autocommit=True)
    log = tmp_path / "log"
    with log.open("wb") as file:
        conn.pgconn.trace(file.fileno())
        if withdraw == "pipelined":
            pipeline.withdraw_from_all(conn, wallet_ids, Decimal(30))
        else:
            with conn.transaction(), conn.pipeline():
                for wallet_id in wallet_ids:
                    pgwallet.withdraw(conn, wallet_id, 30)
        conn.pgconn.untrace()

    text = log.read_text()
    # BEGIN and COMMIT are a round trip each, beside those of the pipeline.
    assert text.count("\tFlush") + text.count("\tSync") in waits
    assert balances(connect, wallet_ids) == [70] * 10


def test_in_autocommit_a_pipeline_is_one_transaction_whose_results_may_be_undone(
    connect: Connect, wallet_ids: list[int]
) -> None:
    conn = connect(autocommit=True)
    seen = []

    def withdraw_from_all_and_then_too_much() -> None:
        for wallet_id in wallet_ids:
            pgwallet.withdraw(conn, wallet_id, 30)
        seen.extend(balances(connect, wallet_ids))
        pgwallet.withdraw(conn, wallet_ids[0], 5000)

    with pytest.raises(pgwallet.InsufficientFunds), conn.pipeline():
        withdraw_from_all_and_then_too_much()

    assert seen == [100] * 10
    assert balances(connect, wallet_ids) == [100] * 10


def test_after_a_refusal_the_rest_of_a_pipeline_is_refused(
    connect: Connect, wallet_ids: list[int]
) -> None:
    conn = connect(autocommit=True)
    with conn.pipeline():
        with pytest.raises(pgwallet.InsufficientFunds):
            pgwallet.withdraw(conn, wallet_ids[0], 5000)
        with pytest.raises(psycopg.errors.PipelineAborted):
            pgwallet.withdraw(conn, wallet_ids[1], 30)
    assert balances(connect, wallet_ids) == [100] * 10


def test_a_savepoint_keeps_a_pipeline_going(connect: Connect, wallet_ids: list[int]) -> None:
    conn = connect(autocommit=True)
    with conn.transaction(), conn.pipeline():
        with pytest.raises(pgwallet.InsufficientFunds), conn.transaction():
            pgwallet.withdraw(conn, wallet_ids[0], 5000)
        pgwallet.withdraw(conn, wallet_ids[1], 30)
    assert balances(connect, wallet_ids[:2]) == [100, 70]


def test_what_commits_by_itself_has_committed_within_a_pipeline_too(
    connect: Connect, wallet_ids: list[int]
) -> None:
    conn = connect(autocommit=True)
    seen = []
    with conn.pipeline():
        film = pgwallet.run_transaction(
            conn, lambda conn: pgwallet.create_project(conn, "film", commission_rate=0, fee_rate=0)
        ).project_id
        pgwallet.run_transaction(
            conn, lambda conn: pgwallet.pledge_many(conn, film, wallet_ids, [10] * 10)
        )
        seen += balances(connect, [film, wallet_ids[0]])
        for _ in pgwallet.release_project(conn, film, batch_size=4):
            seen += balances(connect, [film])

    assert seen == [0, 90, 40, 80, 100]
