"""Everything at once through a router, whose sessions and those of its shards are ended meanwhile:
afterwards the shards together are what the clients were told.
"""

import logging
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests import clusters
from tests.access.roles import as_role, login_role
from tests.effort import effort
from tests.storm.reckoning import differences, settle_all
from tests.storm.routed import CUSTOMERS, OPERATORS, RoutedStorm
from tests.storm.workers import raged
from tests.waiting import until_true

pytestmark = pytest.mark.skipif(
    not clusters.are_tested(), reason="PGWALLET_TEST_SERVER=cluster has it"
)

SECONDS = effort("PGWALLET_ROUTED_STORM", part=8, full=20)
ENDED = """
not exists (
  select from pg_stat_activity as a
  where a.datname = any (%s) and a.usename = any (%s) and a.state <> 'idle'
)
"""


@pytest.fixture
def roles(server: str) -> Iterator[list[str]]:
    """Asked for before the database, so that what they were granted goes first."""
    with ExitStack() as stack:
        yield [stack.enter_context(login_role(server)) for _ in ("app", "operator")]


@pytest.mark.timeout(300 + 10 * SECONDS)
def test_nothing_is_lost_in_a_storm_whose_sessions_are_ended(
    roles: list[str],
    server: str,
    template: str,
    record_property: Callable[[str, object], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR, "pgwallet")
    caplog.set_level(logging.INFO, "pgwallet.storm")
    seed = os.environ.get("PGWALLET_STORM_SEED") or secrets.token_hex(4)
    with clusters.one(server, template) as (router, shards):
        app, operator = roles
        with psycopg.connect(router, autocommit=True) as admin:
            admin.execute("select pgwallet.grant_app(%s)", [app])
            admin.execute("select pgwallet.grant_operator(%s)", [operator])
            admin.execute("update pgwallet.settings set max_pockets_per_allocation = 4")
        databases = [str(conninfo_to_dict(each)["dbname"]) for each in (router, *shards)]
        ends = [app, operator, clusters.ROLE]
        raging = RoutedStorm(
            as_role(router, app), as_role(router, operator), server, databases, ends, seed
        )
        with raging.sessions:
            with raged(raging, CUSTOMERS + OPERATORS):
                raging.for_seconds(SECONDS)
            record_property("storm", raging.summary())
            assert raging.failures == [], f"seed {seed}"
            with psycopg.connect(router, autocommit=True) as fresh:
                # What a session of a router began goes on where that was ended.
                until_true(fresh, ENDED, databases, ends)
                for call in fresh.execute("select * from pgwallet.complete_plans(interval '0')"):
                    assert call[3] is None, call
            settle_all(raging)

        assert raging.failures == [], f"seed {seed}"
        assert raging.checks > 0
        assert raging.killed > SECONDS
        with psycopg.connect(router, autocommit=True) as fresh, ExitStack() as stack:
            places = [stack.enter_context(psycopg.connect(each)) for each in shards]
            assert differences(raging, fresh, places) == [], f"seed {seed}"
