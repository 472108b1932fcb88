"""`pgwallet feed`: lines for a program at the other end of a pipe."""

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from tests.cli.command import COMMAND, PATIENCE, environment, pgwallet_here
from tests.conftest import Connect
from tests.ledger.calling import funded, last_posting

Process = subprocess.Popen[str]


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


@pytest.fixture
def conn(connect: Connect) -> psycopg.Connection:
    return connect(autocommit=True)


@contextmanager
def following(database: str, after: int) -> Iterator[Process]:
    with subprocess.Popen(
        [*COMMAND, "feed", "--after", str(after), "--follow"],
        env=environment(database),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def next_line(process: Process) -> dict[str, Any]:
    assert process.stdout is not None
    line: dict[str, Any] = json.loads(process.stdout.readline())
    return line


def test_it_writes_a_line_of_json_a_posting(conn: psycopg.Connection, database: str) -> None:
    wallet = funded(conn, "ada", 1)
    after = last_posting(conn, wallet)
    pgwallet.deposit(conn, wallet, 10)
    pgwallet.withdraw(conn, wallet, 1, metadata={"name": "Zoë\n"})
    completed = pgwallet_here("feed", "--after", after, "--limit", 1, database_url=database)
    assert completed.returncode == 0
    first, second = (json.loads(line) for line in completed.stdout.splitlines())
    assert (first["kind"], first["amount"], first["currency"]) == ("deposit", "10.00", "EUR")
    assert second["posting_id"] == after + 2
    assert second["metadata"] == {"name": "Zoë\n"}
    assert list(second) == list(pgwallet.FeedRow.__dataclass_fields__)
    assert pgwallet_here("feed", "--after", after + 2, database_url=database).stdout == ""


def test_csv_has_the_same_below_a_header(conn: psycopg.Connection, database: str) -> None:
    wallet = funded(conn, "ann", 1)
    after = last_posting(conn, wallet)
    pgwallet.deposit(conn, wallet, 10, idempotency_key="a, b", metadata={"name": 'Zoë "Z"'})
    pgwallet.withdraw(conn, wallet, 1)
    as_json, as_csv = (
        pgwallet_here("feed", "--after", after, "--limit", 1, form, database_url=database).stdout
        for form in ("--json", "--csv")
    )
    rows = [*csv.DictReader(StringIO(as_csv))]
    wanted = [json.loads(line) for line in as_json.splitlines()]
    assert len(rows) == len(wanted) == 2
    for row, line in zip(rows, wanted, strict=True):
        assert json.loads(row.pop("metadata") or "null") == line.pop("metadata")
        assert row == {k: "" if v is None else str(v) for k, v in line.items()}
    empty = pgwallet_here("feed", "--csv", "--after", after + 2, database_url=database).stdout
    assert empty == as_csv.partition("\n")[0] + "\n"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["TERM", "INT"]
)
def test_it_follows_until_a_signal_ends_it(
    conn: psycopg.Connection, database: str, number: signal.Signals, code: int
) -> None:
    wallet = funded(conn, f"ada {code}", 10)
    after = last_posting(conn, wallet)
    pgwallet.deposit(conn, wallet, 1)
    with following(database, after) as process:
        assert next_line(process)["posting_id"] == after + 1
        pgwallet.deposit(conn, wallet, 1)
        assert next_line(process)["posting_id"] == after + 2
        process.send_signal(number)
        rest, error = process.communicate(timeout=PATIENCE)
    assert (rest, error, process.returncode) == ("", "", code)


def test_it_names_a_long_transaction_and_ends_while_it_waits_for_it(
    connect: Connect, database: str
) -> None:
    conn, slow = connect(autocommit=True), connect()
    wallets = [funded(conn, f"eve {number}", 10) for number in range(2)]
    after = last_posting(conn, wallets[0])
    with following(database, after) as process:
        assert next_line(process)["posting_id"] == after + 1
        pgwallet.deposit(slow, wallets[0], 1)
        pgwallet.deposit(conn, wallets[1], 1)
        assert process.stderr is not None
        assert f" of process {slow.info.backend_pid}, " in process.stderr.readline()
        process.terminate()
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 143


def test_a_signal_that_comes_while_a_notice_is_written_is_not_lost(database: str) -> None:
    """psycopg lets no exception out of what it calls for a notice."""
    script = """if True:
        import os, signal, sys
        import psycopg
        from pgwallet.cli.following import Terminated, _signals
        try:
            with psycopg.connect(sys.argv[1]) as conn, _signals():
                conn.add_notice_handler(lambda notice: os.kill(os.getpid(), signal.SIGTERM))
                conn.execute("do $$ begin raise notice 'busy'; perform pg_sleep(50); end $$")
        except Terminated as ended:
            sys.exit(ended.exit_code)
    """
    command = [sys.executable, "-c", script, database]
    assert subprocess.run(command, timeout=PATIENCE / 2, capture_output=True).returncode == 143


def test_it_ends_when_the_other_end_of_the_pipe_is_closed(
    conn: psycopg.Connection, database: str
) -> None:
    wallet = funded(conn, "mia", 10)
    after = last_posting(conn, wallet)
    pgwallet.deposit(conn, wallet, 1)
    with following(database, after) as process:
        next_line(process)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        pgwallet.deposit(conn, wallet, 1)
        assert process.wait(PATIENCE) == 1
        assert process.stderr.read() == ""


def test_it_says_so_when_the_connection_is_lost(conn: psycopg.Connection, database: str) -> None:
    wallet = funded(conn, "tom", 10)
    after = last_posting(conn, wallet)
    pgwallet.deposit(conn, wallet, 1)
    with following(make_conninfo(database, application_name="follower"), after) as process:
        next_line(process)
        conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'follower' and datname = current_database()"
        )
        _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert error.startswith("ERROR: ")
    assert "Traceback" not in error
