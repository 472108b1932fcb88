"""Eight customers, two operators and a reaper call everything at once through a router, while its
server, those of the shards and sessions of all are killed: afterwards the shards together are what
the clients were told.
"""

import logging
import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet import cluster
from tests.cluster.killing import Killable, killable_cluster
from tests.cluster.storming import CUSTOMERS, OPERATORS, RoutedStorm
from tests.effort import effort
from tests.storm.reckoning import differences, settle_all
from tests.storm.workers import raged
from tests.waiting import until_true

SECONDS = effort("PGWALLET_CLUSTER_STORM", part=4, full=40)
AT_REST = """
not exists (
  select from pg_stat_activity as a
  where a.backend_type = 'client backend' and a.pid <> pg_backend_pid() and a.state <> 'idle'
)
"""
ESCROW_COUNTS = "select e.project_id, count(*) from pgwallet.escrow as e group by e.project_id"


@pytest.fixture
def unused(cluster_server: str) -> Iterator[Killable]:
    """A cluster in which nobody has done anything yet."""
    with killable_cluster(cluster_server) as made:
        yield made


@pytest.mark.timeout(300 + 10 * SECONDS)
def test_what_anybody_was_told_is_there_once_whatever_crashed(
    unused: Killable,
    record_property: Callable[[str, object], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR, "pgwallet")
    caplog.set_level(logging.INFO, "pgwallet.storm")
    seed = os.environ.get("PGWALLET_STORM_SEED") or secrets.token_hex(4)
    with psycopg.connect(unused.router, autocommit=True) as admin:
        for access in ("app", "operator"):
            admin.execute(f"create role {access} login".encode())
            admin.execute(f"select pgwallet.grant_{access}(%s)".encode(), [access])
        admin.execute("update pgwallet.settings set max_pockets_per_allocation = 4")
    app, operator = (make_conninfo(unused.router, user=each) for each in ("app", "operator"))
    raging = RoutedStorm(app, operator, unused, seed)
    with raging.sessions:
        with raged(raging, CUSTOMERS + OPERATORS):
            raging.for_seconds(SECONDS)
        record_property("storm", raging.summary())
        assert raging.failures == [], f"seed {seed}"
        come_to_rest(unused)
        settle_all(raging)

    assert raging.failures == [], f"seed {seed}"
    assert raging.checks > 0
    assert min(raging.crashes, raging.ended) > 0
    with ExitStack() as stack:
        router, *shards = (
            stack.enter_context(psycopg.connect(each, autocommit=True))
            for each in (unused.router, *(shard.conninfo for shard in unused.file.shards))
        )
        assert differences(raging, router, shards) == [], f"seed {seed}"
        counts: Counter[int] = Counter()
        for shard in shards:
            counts.update(dict(shard.execute(ESCROW_COUNTS).fetchall()))
        for project in raging.shared.projects:
            assert pgwallet.get_project(router, project).escrow_count == counts[project]
    assert cluster.check(unused.file) == []


def come_to_rest(killable: Killable) -> None:
    """What a session of a router began goes on where that was ended."""
    for server in (killable.routers, *killable.shards):
        with psycopg.connect(server.conninfo, autocommit=True) as admin:
            until_true(admin, AT_REST)
    with psycopg.connect(killable.router, autocommit=True) as conn:
        for call in conn.execute("select * from pgwallet.complete_plans('0')"):
            assert call[3] is None, call
