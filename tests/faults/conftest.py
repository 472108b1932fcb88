"""The server that the faults hit: one a session, apart from the one that all other tests use."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

import pgwallet
from tests import databases, servers
from tests.faults.repeating import struck
from tests.faults.server import KillableServer
from tests.reports import recorded


@pytest.fixture(scope="session")
def killable(server: str) -> Iterator[KillableServer]:
    """A durable server from the same programs as the one that the other tests use."""
    if os.environ.get("PGWALLET_TEST_SERVER") not in (
        None,
        "",
        "embedded",
        "embedded-16",
        "system",
    ):
        pytest.skip("a server that the tests did not start cannot be killed")
    if not Path("/proc/thread-self/children").exists():
        pytest.skip("the processes of a server are looked up in /proc, as Linux has it")
    with psycopg.connect(server) as conn:
        (programs,) = conn.execute(
            "select c.setting from pg_config as c where c.name = 'BINDIR'"
        ).fetchall()[0]
    # In memory, which outlives the processes that are killed as well as a disk does.
    with servers.directory() as directory:
        killable = KillableServer(Path(programs), directory)
        try:
            yield killable
        finally:
            killable.stop()


@pytest.fixture(scope="session")
def installed(killable: KillableServer) -> Iterator[str]:
    """Name of a database on it with pgwallet in it."""
    with psycopg.connect(killable.conninfo) as admin:
        admin.execute(sql.SQL("create role {}").format(sql.Identifier(databases.OWNER)))
    with databases.created(killable.conninfo) as name:
        pgwallet.migrate(databases.as_owner(make_conninfo(killable.conninfo, dbname=name)))
        yield name


@pytest.fixture
def database(killable: KillableServer, installed: str) -> Iterator[str]:
    """Conninfo of a migrated database for this test alone, on the server that is killed."""
    with databases.created(killable.conninfo, installed) as name:
        try:
            yield make_conninfo(killable.conninfo, dbname=name)
        finally:
            killable.start()  # a test that failed may have left it dead


@pytest.fixture(autouse=True)
def counted(record_property: Callable[[str, object], None]) -> Iterator[None]:
    """Has the faults of the test told at the end of the run."""
    struck.clear()
    yield
    for fault in struck:
        record_property("fault", fault)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    times: Counter[str] = Counter()
    untold: Counter[str] = Counter()
    for fault, committed_untold in recorded(terminalreporter, "fault"):
        times[fault] += 1
        untold[fault] += committed_untold
    for fault in sorted(times):
        terminalreporter.write_line(
            f"{fault}: {times[fault]} times; {untold[fault]} committed although nobody was told"
        )
