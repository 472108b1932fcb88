"""examples/celery_jobs.py with a broker, a worker and its schedule, as processes of their own."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

import pgwallet
from tests import servers
from tests.docs.blocks import ROOT
from tests.waiting import DEADLINE, until

BROKER = shutil.which("redis-server")
# Nobody else's worker hears of it, and it prints what it runs.
WORKER = (
    *(sys.executable, "-m", "celery", "--app=tests.examples.hurried_celery", "worker"),
    *("--beat", "--pool=solo", "--without-gossip", "--without-mingle", "--loglevel=info"),
)


@pytest.fixture
def place() -> Iterator[Path]:
    """A new directory, of a name that is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="pgwallet-") as name:
        yield Path(name)


@pytest.fixture
def broker(place: Path) -> Iterator[str]:
    """The URL of a Redis that keeps nothing on disk."""
    if BROKER is None:
        servers.missing("redis-server is not installed: apt-get install redis-server")
    socket = place / "redis"
    with ending(BROKER, "--port", "0", "--unixsocket", str(socket), "--save", "", cwd=place):
        until(socket.exists)
        yield f"redis+socket://{socket}"


@contextmanager
def ending(*command: str, cwd: Path, **variables: str) -> Iterator[None]:
    """A process that is asked to end, and whose output shows where the test fails."""
    with (cwd / "output").open("w+b") as output:
        process = subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **variables}, stdout=output, stderr=output
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(DEADLINE)
            output.seek(0)
            print(output.read().decode(errors="replace"))


def send(broker: str, *calls: str) -> None:
    """As an application does, in a process of its own: Celery warns of what Python deprecates."""
    script = "from examples.celery_jobs import *\n" + "\n".join(calls)
    environment = {**os.environ, "CELERY_BROKER_URL": broker}
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, check=True)


def test_tasks_are_run_once_sent_twice_and_the_schedule_goes_on_beside_them(
    database: str, broker: str, place: Path
) -> None:
    with ExitStack() as stack:
        conn = stack.enter_context(psycopg.connect(database, autocommit=True))
        ada = pgwallet.create_wallet(conn, "ada").wallet_id
        film, song, play = (
            pgwallet.create_project(conn, name, commission_rate=0, fee_rate=0).project_id
            for name in ("film", "song", "play")
        )
        pgwallet.deposit(conn, ada, 100)
        for project_id in (film, song, play):
            pgwallet.pledge_many(conn, project_id, [ada] * 10, [1] * 10)
        conn.execute(
            "update pgwallet.escrow set expires_at = created_at where project_id = %s", [play]
        )
        # Of one of these the worker is told, the other it finds by itself.
        pgwallet.close_project(conn, film, "succeeded")
        pgwallet.close_project(conn, song, "succeeded")
        pay_out = f"pay_out.delay({film}, '4.00', '2026-11')"
        send(broker, f"release.delay({film})", pay_out, pay_out)

        stack.enter_context(
            ending(
                *(*WORKER, "--schedule", str(place / "beat")),
                cwd=place,
                PYTHONPATH=str(ROOT),
                CELERY_BROKER_URL=broker,
                PGWALLET_DATABASE_URL=database,
            )
        )
        until(lambda: pgwallet.balance(conn, song) == 10)
        until(lambda: pgwallet.balance(conn, film) == 6)
        until(lambda: pgwallet.balance(conn, ada) == Decimal(80))
        until(lambda: pgwallet.list_seals(conn))
        until(lambda: pgwallet.ledger_metrics(conn).checked_at)
        # All that was sent has been run by now, since tasks come in their order.
        assert pgwallet.balance(conn, film) == 6
        assert pgwallet.check_ledger(conn) == []
