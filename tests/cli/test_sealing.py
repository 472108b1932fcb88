"""`pgwallet seal`, `seals` and what `check` says of seals."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

import pgwallet
from tests.cli.command import pgwallet_here, started
from tests.conftest import Connect
from tests.ledger.calling import funded
from tests.seals.history import tampering
from tests.waiting import DEADLINE

LINE = re.compile(r"seal (\d+)  \S+\+00:00  ([0-9a-f]{64})")


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


def digests(printed: str) -> dict[int, str]:
    return {int(number): digest for number, digest in LINE.findall(printed)}


def test_it_prints_each_seal_until_nothing_is_left(connect: Connect, database: str) -> None:
    conn = connect(autocommit=True)
    wallet = funded(conn, "ada", 10)
    pgwallet.deposit_many(conn, [wallet] * 5, [1] * 5)
    made = digests(pgwallet_here("seal", "--limit", 2, database_url=database).stdout)
    seals = pgwallet.list_seals(conn, limit=len(made), newest_first=True)
    assert len(made) >= 3
    assert made == {each.seal_id: each.digest for each in seals}
    assert pgwallet_here("seal", database_url=database).stdout == ""
    listed = pgwallet_here("seals", "--newest-first", "--limit", 1, "--json", database_url=database)
    (last,) = json.loads(listed.stdout)
    assert last["digest"] == made[seals[0].seal_id]


@pytest.mark.parametrize("form", ["--json", "--csv"])
def test_programs_get_the_same(connect: Connect, database: str, form: str) -> None:
    conn = connect(autocommit=True)
    funded(conn, f"bob {form}", 10)
    completed = pgwallet_here("seal", form, database_url=database)
    (last,) = pgwallet.list_seals(conn, limit=1, newest_first=True)
    wanted = [last.seal_id, last.sealed_at.isoformat(), last.digest]
    if form == "--json":
        assert list(json.loads(completed.stdout).values()) == wanted
    else:
        header, line = completed.stdout.splitlines()
        assert header == "seal_id,sealed_at,digest"
        assert line == ",".join(map(str, wanted))


@contextmanager
def following(database: str) -> Iterator[subprocess.Popen[str]]:
    process = started("seal", "--follow", "--every", 0.1, database_url=database)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_follows_until_it_is_told_to_stop(
    connect: Connect, database: str, number: signal.Signals, code: int
) -> None:
    """Also while it waits for somebody who writes; what it had sealed is printed by then."""
    conn, writer = connect(autocommit=True), connect()
    wallet = funded(conn, f"eve {code}", 10)
    with following(database) as process:
        assert process.stdout is not None
        made = digests(process.stdout.readline())
        pgwallet.deposit(writer, wallet, 1)
        pgwallet.deposit(conn, funded(conn, f"mia {code}", 10), 1)
        wait_for_sealer(conn)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=DEADLINE)
    assert process.returncode == code, stderr
    assert "Traceback" not in stderr
    assert "ERROR" not in stderr
    made |= digests(stdout)
    last = pgwallet.list_seals(conn, limit=1, newest_first=True)
    assert last[0].digest == made[last[0].seal_id]


def wait_for_sealer(conn: psycopg.Connection) -> None:
    """Returns once the command waits for who writes."""
    waiting = (
        "select count(*) from pg_stat_activity "
        "where datname = current_database() and query ~ 'seal_ledger' and wait_event = 'PgSleep'"
    )
    for _ in range(2000):
        if conn.execute(waiting).fetchone() == (1,):
            return
    raise AssertionError("nobody waits")


def test_check_names_the_seal_that_does_not_fit(connect: Connect, database: str) -> None:
    conn = connect(autocommit=True)
    funded(conn, "zoe", 10)
    pgwallet_here("seal", database_url=database)
    (last,) = pgwallet.list_seals(conn, limit=1, newest_first=True)
    kept = f"{last.seal_id}:{last.digest}"
    other = f"{last.seal_id}:{'0' * 64}"
    assert pgwallet_here("check", "--digest", kept, database_url=database).returncode == 0

    completed = pgwallet_here("check", "--digest", other, "--json", database_url=database)
    assert completed.returncode == 1
    (violation,) = json.loads(completed.stdout)
    assert violation["subject"] == f"seal {last.seal_id}"
    assert violation["detail"] == f"Its digest is {last.digest}, not the one that was kept."
    completed = pgwallet_here("check", "--digest", f"999:{'0' * 64}", database_url=database)
    assert (completed.returncode, "seal 999" in completed.stdout) == (1, True)
    completed = pgwallet_here("check", "--since-seal-id", 999, database_url=database)
    assert (completed.returncode, "seal 999" in completed.stdout) == (1, True)
    assert pgwallet_here("check", "--digest", "7:abc", database_url=database).returncode == 2

    for statement in tampering("update pgwallet.seal set sealed_at = now() where seal_id = 1"):
        conn.execute(statement.encode())
    completed = pgwallet_here("check", "--json", database_url=database)
    assert completed.returncode == 1
    (violation,) = json.loads(completed.stdout)
    assert violation["subject"] == "seal 1"
    assert violation["detail"].startswith("It covers transactions ")
