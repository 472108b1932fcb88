"""Settling a project: totals, refusals, and Ctrl-C, after which all is as the totals say."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

import pgwallet
from tests.access.roles import as_role, login_role
from tests.cli.command import (
    pgwallet_command,
    pgwallet_here,
    pledged_project,
    settled_escrows,
    shown,
    started,
)
from tests.databases import as_owner
from tests.waiting import DEADLINE, wait_until_blocked

INTERRUPTED = 130


@pytest.fixture
def role(server: str) -> Iterator[str]:
    with login_role(server) as name:
        yield name


def is_sound(conninfo: str) -> bool:
    with psycopg.connect(conninfo) as conn:
        return not pgwallet.check_ledger(conn)


@contextmanager
def release_that_waits(
    database: str, project: int
) -> Iterator[tuple[subprocess.Popen[str], psycopg.Connection, int]]:
    """The command, an observer and the command's backend, which waits for the first escrow."""
    with psycopg.connect(database) as holder, psycopg.connect(database) as observer:
        holder.execute(
            "select from pgwallet.escrow where project_id = %s order by escrow_id limit 1 "
            "for update",
            [project],
        )
        process = started("project", "release", project, "--yes", database_url=database)
        backend = _backend_of_the_command(observer)
        wait_until_blocked(observer, backend)
        yield process, observer, backend


def end_of(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What it printed, once it has ended as one does who was interrupted."""
    stdout, stderr = process.communicate(timeout=DEADLINE)
    assert process.returncode == INTERRUPTED, stderr
    assert "Traceback" not in stderr
    assert "run it again" in stderr
    return stdout, stderr


def test_release_prints_totals(database: str) -> None:
    project = pledged_project(database, "film", 250)
    completed = pgwallet_here(
        "project", "release", project, "--batch-size", 100, "--yes", database_url=database
    )
    assert completed.returncode == 0
    assert shown(completed.stdout, "Escrows") == "250"
    assert shown(completed.stdout, "Gross") == "2,500.00 EUR"
    assert shown(completed.stdout, "Commission") == "125.00 EUR"
    assert shown(completed.stdout, "Fee") == "72.50 EUR"
    assert shown(completed.stdout, "Net") == "2,302.50 EUR"
    assert "250/250 escrows" in completed.stderr
    assert settled_escrows(database, project) == 250


def test_refund_prints_totals(database: str) -> None:
    project = pledged_project(database, "film", 250)
    completed = pgwallet_here(
        "project", "refund", project, "--batch-size", 100, "--yes", database_url=database
    )
    assert completed.returncode == 0
    assert shown(completed.stdout, "Escrows") == "250"
    assert shown(completed.stdout, "Refunded") == "2,500.00 EUR"


def test_releasing_again_releases_nothing(database: str) -> None:
    project = pledged_project(database, "film", 2)
    pgwallet_here("project", "release", project, "--yes", database_url=database)
    completed = pgwallet_here("project", "release", project, "--yes", database_url=database)
    assert completed.returncode == 0
    assert shown(completed.stdout, "Escrows") == "0"
    assert shown(completed.stdout, "Net") == "0.00 EUR"


def test_a_failed_project_is_not_released(database: str) -> None:
    project = pledged_project(database, "film", 2)
    assert (
        pgwallet_here("project", "refund", project, "--yes", database_url=database).returncode == 0
    )
    completed = pgwallet_here("project", "release", project, "--yes", database_url=database)
    assert (completed.returncode, completed.stdout) == (1, "")
    assert "HINT: " in completed.stderr


def test_the_progress_bar_fits_80_columns(database: str) -> None:
    project = pledged_project(database, "film", 2000)
    completed = pgwallet_command(
        "project", "release", project, "--yes", database_url=database, COLUMNS="80"
    )
    (bar,) = [line for line in completed.stderr.splitlines() if "escrows" in line]
    assert len(bar) <= 80
    assert "2,000/2,000 escrows  20,000.00 EUR" in bar


def test_an_operator_releases_and_sees_how_far_it_is(role: str, database: str) -> None:
    project = pledged_project(database, "film", 250)
    with psycopg.connect(as_owner(database)) as conn:
        conn.execute("select pgwallet.grant_operator(%s)", [role])
    completed = pgwallet_here(
        "project", "release", project, "--yes", database_url=as_role(database, role)
    )
    assert completed.returncode == 0
    assert shown(completed.stdout, "Escrows") == "250"
    assert shown(completed.stdout, "Net") == "2,302.50 EUR"
    assert "250/250 escrows" in completed.stderr


@pytest.mark.parametrize("command", ["release", "refund"])
def test_ctrl_c_stops_between_batches_and_the_next_run_goes_on(database: str, command: str) -> None:
    project = pledged_project(database, "film", 1000)
    process = started(
        "project", command, project, "--batch-size", 1, "--yes", database_url=database
    )
    deadline = time.monotonic() + DEADLINE
    while settled_escrows(database, project) < 20:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    stdout, _ = end_of(process)

    settled = settled_escrows(database, project)
    assert 20 <= settled < 1000
    assert shown(stdout, "Escrows") == f"{settled:,}"
    assert is_sound(database)

    completed = pgwallet_here("project", command, project, "--yes", database_url=database)
    assert completed.returncode == 0
    assert f"{1000 - settled:,}" in completed.stdout
    assert settled_escrows(database, project) == 1000
    assert is_sound(database)


def test_a_second_ctrl_c_breaks_off_a_batch_that_waits(database: str) -> None:
    project = pledged_project(database, "film", 3)
    with release_that_waits(database, project) as (process, observer, backend):
        process.send_signal(signal.SIGINT)
        # Two signals at once count as one, so the second comes again until it has worked.
        while _waits(observer, backend, seconds=1):
            process.send_signal(signal.SIGINT)
        stdout, _ = end_of(process)
    assert shown(stdout, "Escrows") == "2"
    assert shown(stdout, "Gross") == "20.00 EUR"
    assert settled_escrows(database, project) == 2
    assert is_sound(database)


def test_totals_are_shown_when_the_connection_is_lost(database: str) -> None:
    project = pledged_project(database, "film", 3)
    with release_that_waits(database, project) as (process, observer, backend):
        observer.execute("select pg_terminate_backend(%s)", [backend])
        stdout, stderr = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert "ERROR: " in stderr
    assert "Traceback" not in stderr
    assert shown(stdout, "Escrows") == "2"


def _waits(observer: psycopg.Connection, backend: int, seconds: float) -> bool:
    """Whether the backend still waits for a lock after so long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        observer.execute("select pg_stat_clear_snapshot()")
        row = observer.execute(
            "select wait_event_type from pg_stat_activity where pid = %s", [backend]
        ).fetchone()
        if row != ("Lock",):
            return False
        time.sleep(0.01)
    return True


def _backend_of_the_command(observer: psycopg.Connection) -> int:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        observer.execute("select pg_stat_clear_snapshot()")
        row = observer.execute(
            """
            select pid from pg_stat_activity
            where application_name = 'pgwallet' and datname = current_database()
            """
        ).fetchone()
        if row is not None:
            return int(row[0])
        time.sleep(0.01)
    raise AssertionError("the command does not connect")
