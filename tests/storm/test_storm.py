"""Everything at once, by many connections: afterwards the ledger is what the clients were told."""

import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import IsolationLevel

from tests.access.roles import as_role, login_role
from tests.catalogue.calls import CALLS
from tests.concurrency.sessions import ALL_LEVELS
from tests.effort import effort
from tests.ledger.calling import value
from tests.storm.plans import OFTEN, WEIGHTS, is_drawn_apart
from tests.storm.reckoning import differences, settle_all
from tests.storm.told import READERS
from tests.storm.workers import storm

# Each makes its own plans of all functions, which is half the work of a short storm.
CONNECTIONS = effort("PGWALLET_STORM_CONNECTIONS", part=8, full=16)
# By their number, so that a slow machine proves as much as a quick one.
CALLS_A_STORM = effort("PGWALLET_STORM_CALLS", part=2_400, full=5_000)
DEADLINE = 60.0  # seconds, for the server to end the sessions of a storm

OTHER_SESSIONS = """
select count(*) from pg_stat_activity as a
where a.datname = current_database() and a.pid <> pg_backend_pid()
  and a.backend_type = 'client backend'
"""
DEADLOCKS = """
select pg_stat_get_db_deadlocks(d.oid) from pg_database as d where d.datname = current_database()
"""


@pytest.mark.timeout(400 + CALLS_A_STORM / 20)
@pytest.mark.parametrize("level", ALL_LEVELS, ids=[level.name.lower() for level in ALL_LEVELS])
def test_nothing_is_lost_in_a_storm_of_calls(
    operator: str,
    database: str,
    level: IsolationLevel,
    record_property: Callable[[str, object], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR, "pgwallet")  # not thousands of warnings
    caplog.set_level(logging.INFO, "pgwallet.storm")
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("select pgwallet.grant_operator(%s)", [operator])
        # So that some allocations leave pockets out, with a warning.
        admin.execute("update pgwallet.settings set max_pockets_per_allocation = 4")
    seed = os.environ.get("PGWALLET_STORM_SEED") or secrets.token_hex(4)

    with storm(as_role(database, operator), level, seed, CONNECTIONS) as raging:
        raging.until_called(CALLS_A_STORM, set(WEIGHTS))
    record_property("storm", raging.summary())

    assert raging.failures == [], f"seed {seed}"
    assert raging.checks > 0
    settle_all(raging)
    with psycopg.connect(database) as fresh:
        assert differences(raging, fresh) == [], f"seed {seed}"
    assert deadlocks(database) == 0, f"seed {seed}"
    called = {name for name, outcome in raging.outcomes if outcome == "done"}
    assert called == set(WEIGHTS), f"seed {seed}"


def test_what_is_not_drawn_as_the_catalogue_has_it_is_not_read_so_either() -> None:
    """Only with a plan of its own does the storm know what a call must answer."""
    apart = {name for name in CALLS if is_drawn_apart(name)}
    assert set(READERS) == apart
    assert set(OFTEN) <= set(WEIGHTS)


def deadlocks(database: str) -> int:
    """How many the server has broken, also those that a client's retry would hide."""
    deadline = time.monotonic() + DEADLINE
    with psycopg.connect(database, autocommit=True) as observer:
        # A session reports what it counted when it ends at the latest.
        while value(observer, OTHER_SESSIONS):
            assert time.monotonic() < deadline, "sessions of the storm are still there"
            time.sleep(0.01)
        return int(value(observer, DEADLOCKS))


@pytest.fixture
def operator(server: str) -> Iterator[str]:
    """Asked for before the database, so that what it was granted goes first."""
    with login_role(server) as name:
        yield name
