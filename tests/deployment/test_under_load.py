"""Functions are replaced while a storm of calls goes on: no call fails, and no release is mixed."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest
from psycopg import IsolationLevel

import pgwallet
from tests.access.roles import as_role, login_role
from tests.databases import as_owner
from tests.deployment.contention import halt_before
from tests.deployment.releases import DEADLINE, Migration, deployer, release
from tests.effort import effort
from tests.storm.reckoning import differences, settle_all
from tests.storm.shared import Plan
from tests.storm.workers import Storm, Worker, storm

pytestmark = pytest.mark.timeout(600)

CONNECTIONS = 4
PAUSE = 0.005  # seconds; the rest of the machine is for the deployments
ROUNDS = effort("PGWALLET_REPLACEMENTS", part=2, full=4)
KILLS = effort("PGWALLET_FAULTS", part=4, full=6)

CALLED = "{deposit,_check_account,preview_allocation,_warn_of_pockets}"
SERVED = f"from unnest('{CALLED}'::text[]) as f (name)"
FORGET_MARKS = f"select set_config('release.' || f.name, 'none', false) {SERVED}".encode()
MARKS_LEFT = f"select current_setting('release.' || f.name) {SERVED}".encode()


def marks(database: str) -> set[str]:
    """The releases that the functions now there come from."""
    with psycopg.connect(database) as conn:
        rows = conn.execute(
            """
            select distinct coalesce(substring(p.prosrc from '-- release (\\w+)'), 'none')
            from pg_proc as p
            where p.pronamespace = 'pgwallet'::regnamespace and p.prosqlbody is null
            """
        )
        return {mark for (mark,) in rows}


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE:.0f} s: {what}"
        time.sleep(0.005)


def sessions(database: str, release: str, waiting: bool = False) -> list[int]:
    """The backends of a release's `migrate`: all, or those that wait for a lock."""
    with psycopg.connect(database) as observer:
        rows = observer.execute(
            """
            select a.pid from pg_stat_activity as a
            where a.datname = current_database() and a.application_name = %s
              and (a.wait_event_type = 'Lock' or not %s)
            """,
            [release, waiting],
        )
        return [pid for (pid,) in rows]


def has_begun(process: Migration, database: str, release: str) -> bool:
    """Also of one that was too quick to be seen."""
    return process.has_ended() or bool(sessions(database, release))


def gone(database: str, release: str) -> bool:
    return not sessions(database, release)


@contextmanager
def calls(database: str, operator: str) -> Iterator[Storm]:
    """A storm that has to end well, whatever is done beside it."""
    seed = secrets.token_hex(4)
    with psycopg.connect(database) as admin:
        admin.execute("select pgwallet.grant_operator(%s)", [operator])
    level = IsolationLevel.READ_COMMITTED
    with storm(as_role(database, operator), level, seed, CONNECTIONS, PAUSE) as raging:
        try:
            yield raging
        finally:
            # Says more than what went wrong for want of a storm.
            assert raging.failures == [], f"seed {seed}"
    assert raging.failures == [], f"seed {seed}"
    settle_all(raging)
    with psycopg.connect(database) as fresh:
        assert differences(raging, fresh) == [], f"seed {seed}"


class Client:
    """A session from before the first deployment, with its statements prepared."""

    def __init__(self, raging: Storm, conn: psycopg.Connection) -> None:
        self.worker = Worker(raging, 0)
        self.conn = conn
        self.conn.prepare_threshold = 0
        assert self.served_by() == {"none"}

    def served_by(self) -> set[str]:
        """Calls two functions, and says which releases they and their helpers are of."""
        raging = self.worker.storm
        call = {"wallet_id": raging.shared.wallets["EUR"][0], "amount": 1}
        self.conn.execute(FORGET_MARKS)
        for plan in (
            Plan("deposit", {**call, "idempotency_key": None}),
            Plan("preview_allocation", {**call, "rounding": "half_up"}),
        ):
            raging.acknowledge(self.worker.hear(self.conn, plan))
        return {mark for (mark,) in self.conn.execute(MARKS_LEFT)}


def test_no_call_fails_while_releases_replace_each_other(
    operator: str, database: str, tmp_path: Path
) -> None:
    first, second = (release(tmp_path, mark) for mark in ("one", "two"))
    with (
        deployer(first, database) as ones,
        deployer(second, database) as twos,
        calls(database, operator) as raging,
        raging.connect() as conn,
    ):
        client = Client(raging, conn)
        for _ in range(ROUNDS // 2):
            for here, its in ((first, ones), (second, twos)):
                raging.until_told(100)
                its.migrate().finish()
                assert marks(database) == client.served_by() == {here.name}

        both = [each.migrate() for each in (ones, twos)]
        for process in both:
            process.finish()
        assert marks(database) == client.served_by()
        assert len(marks(database)) == 1

        assert pgwallet.migrate(as_owner(database)).functions_installed
        assert marks(database) == client.served_by() == {"none"}
    assert pgwallet.status(as_owner(database)).up_to_date


def test_calls_go_on_beside_a_deployment_that_is_stuck_and_then_killed(
    operator: str, database: str, tmp_path: Path
) -> None:
    new = release(tmp_path, "new")
    commands = ("CREATE FUNCTION", "COMMENT", "REVOKE", "GRANT")
    with (
        deployer(new, database) as deploying,
        calls(database, operator) as raging,
        raging.connect() as conn,
    ):
        client = Client(raging, conn)
        for command in commands:
            with halt_before(database, command):
                process = deploying.migrate()
                try:
                    until(partial(sessions, database, "new", waiting=True), f"it is at {command}")
                    raging.until_told(100)
                finally:
                    process.kill()
                with psycopg.connect(database) as admin:
                    # The server would notice only when the wait is over.
                    for pid in sessions(database, "new"):
                        admin.execute("select pg_terminate_backend(%s)", [pid])
                until(partial(gone, database, "new"), "its session has ended")
            assert marks(database) == client.served_by() == {"none"}
            assert pgwallet.status(as_owner(database)).up_to_date

        deploying.migrate().finish()
        assert marks(database) == client.served_by() == {"new"}


def test_a_deployment_killed_at_any_moment_leaves_one_release(
    operator: str, database: str, tmp_path: Path
) -> None:
    first, second = (release(tmp_path, mark) for mark in ("one", "two"))
    with (
        deployer(first, database) as ones,
        deployer(second, database) as twos,
        calls(database, operator) as raging,
        raging.connect() as conn,
    ):
        client = Client(raging, conn)
        process = ones.migrate()
        until(partial(has_begun, process, database, "one"), "migrate has connected")
        connected = time.monotonic()
        process.finish()
        duration = time.monotonic() - connected

        before = first
        for number in range(KILLS):
            after = second if before == first else first
            raging.until_told(100)
            process = (ones if after == first else twos).migrate()
            until(partial(has_begun, process, database, after.name), "migrate has connected")
            process.has_ended(duration * number / KILLS)
            process.kill()
            until(partial(gone, database, after.name), "its session has ended")
            found = marks(database)
            assert found in ({before.name}, {after.name})
            assert client.served_by() == found
            assert pgwallet.status(as_owner(database)).drift == ()
            if found == {after.name}:
                before = after


@pytest.fixture
def operator(server: str) -> Iterator[str]:
    """Asked for before the database, so that what it was granted goes first."""
    with login_role(server) as name:
        yield name
