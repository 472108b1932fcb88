"""The procrastinate example: a job and the ledger's part are committed together, or not at all."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from procrastinate import App, PsycopgConnector
from psycopg.conninfo import conninfo_to_dict

import pgwallet
from examples import procrastinate_jobs as jobs
from tests.conftest import Connect
from tests.docs.blocks import ROOT
from tests.waiting import until_true

AsyncConnection = psycopg.AsyncConnection[Any]
VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
}


@pytest.fixture(autouse=True)
def tables(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes procrastinate's tables in the test's database, where the example will connect."""
    for name, value in conninfo_to_dict(database).items():
        monkeypatch.setenv(VARIABLES[name], str(value))
    with App(connector=PsycopgConnector()).open() as app:
        app.schema_manager.apply_schema()


@pytest.fixture
def wallet_id(connect: Connect) -> int:
    """A wallet with 100 EUR."""
    conn = connect()
    wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
    pgwallet.deposit(conn, wallet_id, 100)
    conn.commit()
    return wallet_id


@pytest.fixture
def film(connect: Connect) -> int:
    conn = connect(autocommit=True)
    return pgwallet.create_project(conn, "film", commission_rate=0, fee_rate=0).project_id


def in_a_transaction(work: Callable[[AsyncConnection], Awaitable[None]]) -> None:
    async def run() -> None:
        async with await jobs.connect() as conn, conn.transaction():
            await work(conn)

    asyncio.run(run())


def run_async(work: Awaitable[None]) -> None:
    async def run() -> None:
        async with jobs.app.open_async():
            await work

    asyncio.run(run())


def run_worker() -> None:
    run_async(jobs.app.run_worker_async(wait=False, listen_notify=False))


def start_worker(database: str) -> subprocess.Popen[str]:
    """A worker as the command line starts it, which ends when there is nothing left to do."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "procrastinate", "--app=examples.procrastinate_jobs.app"),
            *("worker", "--one-shot"),
        ],
        cwd=ROOT,
        env={**os.environ, "PGWALLET_DATABASE_URL": database},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def deferred(connect: Connect) -> list[tuple[str, str, int]]:
    """Name, status and attempts of the jobs, those that procrastinate makes by itself aside."""
    rows = connect().execute(
        """
        select split_part(j.task_name, '.', -1), j.status::text, j.attempts
        from procrastinate_jobs as j
        where j.task_name !~ '(refund_expired|retry_stalled_jobs)$'
        order by j.id
        """
    )
    return rows.fetchall()


def balance(connect: Connect, account_id: int) -> int:
    return int(pgwallet.balance(connect(autocommit=True), account_id))


def test_a_pledge_and_its_receipt_are_committed_together(
    connect: Connect, wallet_id: int, film: int
) -> None:
    seen = []

    async def pledge(conn: AsyncConnection) -> None:
        await jobs.pledge(conn, wallet_id, film, Decimal(40), "k")
        seen.append((balance(connect, wallet_id), deferred(connect)))

    in_a_transaction(pledge)

    assert seen == [(100, [])]
    assert balance(connect, wallet_id) == 60
    assert deferred(connect) == [("send_receipt", "todo", 0)]


def test_a_rollback_takes_the_pledge_and_the_job_with_it(
    connect: Connect, wallet_id: int, film: int
) -> None:
    async def pledge(conn: AsyncConnection) -> None:
        await jobs.pledge(conn, wallet_id, film, Decimal(40), "k")
        raise psycopg.Rollback

    in_a_transaction(pledge)

    assert balance(connect, wallet_id) == 100
    assert deferred(connect) == []


def test_a_pledge_that_is_sent_again_gets_one_receipt(
    connect: Connect, wallet_id: int, film: int
) -> None:
    async def pledge(conn: AsyncConnection) -> None:
        await jobs.pledge(conn, wallet_id, film, Decimal(40), "k")

    in_a_transaction(pledge)
    in_a_transaction(pledge)

    assert balance(connect, wallet_id) == 60
    assert deferred(connect) == [("send_receipt", "todo", 0)]


def test_a_project_is_closed_at_once_and_released_by_the_worker(
    connect: Connect, wallet_id: int, film: int
) -> None:
    conn = connect(autocommit=True)
    pgwallet.pledge_many(conn, film, [wallet_id] * 50, [1] * 50)

    in_a_transaction(lambda conn: jobs.succeed(conn, film))
    with pytest.raises(pgwallet.ProjectClosed):
        pgwallet.pledge(conn, wallet_id, film, 1)
    closed = balance(connect, film)
    run_worker()

    assert closed == 0
    assert balance(connect, film) == 50
    assert deferred(connect) == [("release", "succeeded", 1)]


def test_a_release_that_runs_twice_releases_once(
    connect: Connect, wallet_id: int, film: int
) -> None:
    pgwallet.pledge_many(connect(autocommit=True), film, [wallet_id] * 50, [1] * 50)
    in_a_transaction(lambda conn: jobs.succeed(conn, film))
    in_a_transaction(lambda conn: jobs.succeed(conn, film))
    run_worker()

    assert balance(connect, film) == 50
    assert deferred(connect) == [("release", "succeeded", 1)] * 2


def test_what_passes_is_tried_later_and_what_the_ledger_refuses_is_not(
    connect: Connect, film: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = connect(autocommit=True)
    failed = pgwallet.create_project(other, "failed").project_id
    pgwallet.close_project(other, failed, "failed")

    async def defer(conn: AsyncConnection) -> None:
        for project_id in (film, failed):
            await jobs.release.configure(connection=conn).defer_async(project_id=project_id)

    in_a_transaction(defer)
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=20ms")
    with other.transaction():
        pgwallet.close_project(other, film, "succeeded")  # holds the project
        run_worker()

    assert deferred(connect) == [("release", "todo", 1), ("release", "failed", 1)]


def test_expired_pledges_are_given_back_by_the_hourly_job(
    connect: Connect, wallet_id: int, film: int
) -> None:
    conn = connect(autocommit=True)
    pgwallet.pledge_many(conn, film, [wallet_id] * 20, [1] * 20)
    conn.execute("update pgwallet.escrow set expires_at = now() - interval '1 second'")

    async def defer(conn: AsyncConnection) -> None:
        await jobs.refund_expired.configure(connection=conn).defer_async(timestamp=0)

    in_a_transaction(defer)
    run_worker()

    crons = {p.task.name: p.cron for p in jobs.app.periodic_registry.periodic_tasks.values()}
    assert crons[jobs.refund_expired.name] == "0 * * * *"
    assert balance(connect, wallet_id) == 100


def test_the_worker_of_the_command_line_finds_the_jobs(
    database: str, connect: Connect, wallet_id: int, film: int
) -> None:
    async def pledge(conn: AsyncConnection) -> None:
        await jobs.pledge(conn, wallet_id, film, Decimal(40), "k")

    in_a_transaction(pledge)
    worker = start_worker(database)
    printed, logged = worker.communicate()

    assert worker.returncode == 0, logged
    assert "receipt: 40.00 EUR are locked" in printed
    assert deferred(connect) == [("send_receipt", "succeeded", 1)]


def test_a_release_whose_worker_was_killed_is_finished_by_another(
    database: str, connect: Connect, wallet_id: int, film: int
) -> None:
    other, observer = connect(), connect(autocommit=True)
    pgwallet.pledge_many(observer, film, [wallet_id] * 50, [1] * 50)
    in_a_transaction(lambda conn: jobs.succeed(conn, film))
    other.execute("select from pgwallet.escrow order by escrow_id limit 1 for update")
    worker = start_worker(database)
    until_true(observer, "pgwallet.balance(%s) = 49", film)
    worker.kill()
    worker.communicate()
    other.rollback()

    observer.execute("update procrastinate_workers set last_heartbeat = now() - interval '1 hour'")
    run_async(jobs.retry_stalled_jobs(timestamp=0))
    waiting = deferred(connect)
    run_worker()

    assert waiting == [("release", "todo", 1)]
    assert balance(connect, film) == 50
    assert deferred(connect) == [("release", "succeeded", 2)]
