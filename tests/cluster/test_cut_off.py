"""A connection between router and shard is lost in the middle of a call: the same call again ends
what it began, once.

A message of the call is lost on its way to a shard, so before the shard has done anything, or the
answer to it is lost on its way back, when the shard has committed. PGWALLET_CLUSTER_CUTS=1000 loses
each of them once; by default some are lost, drawn anew.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet import cluster
from pgwallet.cluster.code import by_hand
from pgwallet.cluster.routing import LOCAL_PROCEDURES, READING
from tests import databases
from tests.cluster.spread_calls import ALL, CASES, Make
from tests.effort import effort
from tests.faults.relay import Relay, relay_to

# What a call says that was cut off: not done at all, or perhaps done.
# The views of settings and currencies are read by postgres_fdw, which has a code of its own.
LOST = ("08001", "08007", "08006")
ROUNDS = effort("PGWALLET_CLUSTER_CUTS", part=1, full=2)


@pytest.fixture(scope="module")
def relay(cluster_server: str) -> Iterator[Relay]:
    with psycopg.connect(cluster_server) as conn:
        directory, port = conn.info.host, conn.info.port
    with relay_to(Path(directory) / f".s.PGSQL.{port}") as relay:
        yield relay


@pytest.fixture(scope="module")
def far_router(cluster_server: str, whole: cluster.ClusterFile, relay: Relay) -> Iterator[str]:
    """Conninfo of one more router of the cluster, which reaches the shards through the relay."""
    with databases.created(cluster_server) as name:
        conninfo = make_conninfo(cluster_server, dbname=name)
        shards = tuple(
            replace(shard, through=make_conninfo(shard.through, host="127.0.0.1", port=relay.port))
            for shard in whole.shards
        )
        cluster.init(replace(whole, shards=shards, routers=(conninfo,)))
        yield conninfo


class Messages:
    """Counts statements for shards, and loses the one of that number, or the answer to it."""

    def __init__(self, lost: int | None, *, done: bool) -> None:
        self._lost, self._done = lost, done
        self.count = 0

    def __call__(self, from_client: bool, data: bytes) -> int | None:
        if from_client and b"pgwallet_call." in data:
            self.count += 1
        is_it = self._lost is not None and self.count >= self._lost
        return 0 if is_it and from_client != self._done else None


@pytest.mark.timeout(120 + min(ROUNDS, 40) * 15)
@pytest.mark.parametrize("make", ALL, ids=lambda each: each.__name__)
def test_the_same_call_again_completes_what_was_cut_off(
    far_router: str, relay: Relay, make: Make
) -> None:
    """What each round leaves is the same as where nothing was lost."""
    name = f"cut off {make.__name__}"
    with psycopg.connect(far_router, autocommit=True) as conn:
        call, outcome = make(conn, name)
        relay.cut = whole = Messages(None, done=False)
        call(conn)
        relay.cut = None
        expected = outcome(conn)
        assert whole.count >= 2
        for number, done in _some_of(whole.count):
            which = f"{'answer to ' if done else ''}message {number} of {whole.count}"
            call, outcome = make(conn, f"{name}, {which}")
            relay.cut = Messages(number, done=done)
            said = None
            try:
                call(conn)
            except psycopg.OperationalError as error:
                said = error.sqlstate
            was_cut, relay.cut = relay.cut is None, None
            assert was_cut, f"{which} never came"
            assert said in LOST, which
            call(conn)
            assert outcome(conn) == expected, which


def _some_of(count: int) -> list[tuple[int, bool]]:
    """Which messages are lost, and whether done: as many before a shard has done it as after."""
    befores, afters = (
        [(number, done) for number in random.sample(range(1, count + 1), count)]
        for done in random.sample((False, True), 2)
    )
    return [cut for pair in zip(befores, afters, strict=True) for cut in pair][:ROUNDS]


@pytest.fixture(scope="module", autouse=True)
def checked(far_router: str) -> Iterator[None]:
    yield
    with psycopg.connect(far_router, autocommit=True) as conn:
        assert conn.execute("select from pgwallet.complete_plans('0')").fetchall() == []
        assert pgwallet.check_ledger(conn) == []


def test_each_function_that_writes_on_several_shards_is_cut_off(
    router: psycopg.Connection,
) -> None:
    """And killed, in test_killed: a new one needs a case."""
    writing = router.execute(
        "select p.proname from pg_proc as p "
        "where p.pronamespace = 'pgwallet'::regnamespace and p.provolatile = 'v' "
        "and p.proname = any (%s) and p.proname <> all (%s)",
        [[*by_hand(), *LOCAL_PROCEDURES], [*READING]],
    )
    changed = router.execute(
        "select c.relname from pg_trigger as t inner join pg_class as c on c.oid = t.tgrelid "
        "where c.relnamespace = 'pgwallet'::regnamespace and c.relkind = 'v'"
    )
    assert {*CASES} == {name for (name,) in [*writing, *changed]}
