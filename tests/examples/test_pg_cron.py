"""The jobs that docs/how-to/jobs.md gives pg_cron do their work, as who scheduled them."""

import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

import pgwallet
from pgwallet import embedded
from tests import servers
from tests.docs.blocks import ROOT, blocks
from tests.waiting import DEADLINE

PAGE = (ROOT / "docs" / "how-to" / "jobs.md").read_text("utf-8")
SECTION = PAGE.partition("\n## pg_cron\n")[2].partition("\n## ")[0]
SETTINGS, JOBS = (block.text for block in blocks(SECTION)[:2])
# Debian's package is for its own PostgreSQL.
CONTROL = "/usr/share/postgresql/{}/extension/pg_cron.control"


def programs() -> Path:
    """Where those of a PostgreSQL with pg_cron are."""
    for path in servers.DEBIAN_VERSIONS.glob("*/bin"):
        if Path(CONTROL.format(path.parent.name)).exists():
            return path
    return servers.missing("pg_cron is not installed: apt-get install postgresql-15-cron")


@pytest.fixture
def data() -> Iterator[Path]:
    """The data directory of a server that has a ledger, and pg_cron when it is started again."""
    path = programs()
    with servers.directory() as place:
        place.chmod(0o755)
        with servers.started(path, place / "data") as server:
            pgwallet.migrate(server.conninfo)
            with (place / "data" / "postgresql.conf").open("a") as configuration:
                configuration.write(SETTINGS.replace("'app'", "'postgres'"))
        yield place / "data"
        shutil.rmtree(place / "data")


def test_each_job_of_the_page_does_its_work(data: Path) -> None:
    """At the next start and not by its schedule: pg_cron counts in minutes."""
    with (
        embedded.Server(programs(), data) as server,
        closing(psycopg.connect(server.conninfo, autocommit=True)) as conn,
    ):
        ada = pgwallet.create_wallet(conn, "ada").wallet_id
        film = pgwallet.create_project(conn, "film").project_id
        pgwallet.deposit(conn, ada, 3000)
        pgwallet.pledge_many(conn, film, [ada] * 2500, [1] * 2500)
        conn.execute("update pgwallet.escrow set expires_at = created_at")

        conn.execute(JOBS.encode())
        scheduled = conn.execute("select schedule, username from cron.job order by jobid")
        assert scheduled.fetchall() == [
            ("*/5 * * * *", "jobs"),
            ("* * * * *", "jobs"),
            ("15 3 * * *", "jobs"),
        ]
        conn.execute("update cron.job set schedule = '@reboot'")

    with (
        embedded.Server(programs(), data) as server,
        closing(psycopg.connect(server.conninfo, autocommit=True)) as conn,
    ):
        ended = "select status, return_message from cron.job_run_details where end_time is not null"
        deadline = time.monotonic() + DEADLINE
        while len(runs := conn.execute(ended).fetchall()) < 3:
            assert time.monotonic() < deadline, runs
            time.sleep(0.05)

        assert {status for status, _ in runs} == {"succeeded"}, runs
        assert pgwallet.balance(conn, ada) == 3000
        assert pgwallet.list_seals(conn) != []
        metrics = pgwallet.ledger_metrics(conn)
        assert (metrics.checked_at is not None, metrics.violation_count) == (True, 0)
