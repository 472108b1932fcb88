"""A connection between router and shard is lost in the middle of a call: the same call again ends
what it began, once.

Every message of the call is lost once on its way to a shard, so before the shard has done anything,
and once on its way back, when the shard has committed.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet import cluster
from tests import databases
from tests.faults.relay import Cut, Relay, relay_to

# What a call says that was cut off: not done at all, or perhaps done.
LOST = ("08001", "08007")
RATE = Decimal("0.1")


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


def message_lost(number: int, *, done: bool) -> Cut:
    """Loses the statement of that number, or the answer to it."""
    said = 0

    def cut(from_client: bool, data: bytes) -> int | None:
        nonlocal said
        if from_client and b"pgwallet_call." in data:
            said += 1
        if said < number:
            return None
        return 0 if from_client != done else None

    return cut


Made = tuple[Callable[[], object], Callable[[], object]]


def cut_everywhere(
    conninfo: str, relay: Relay, make: Callable[[psycopg.Connection, str], Made], *, done: bool
) -> int:
    """How many messages were lost: in each round that of the next number, and then the call is made
    again, until a round has no such message. What the rounds leave must be the same.
    """
    with psycopg.connect(conninfo, autocommit=True) as conn:
        for number in count(1):
            call, outcome = make(conn, f"{number} {done}")
            relay.cut = message_lost(number, done=done)
            said = None
            try:
                call()
            except psycopg.OperationalError as error:
                said = error.sqlstate
            was_cut, relay.cut = relay.cut is None, None
            assert (said in LOST) if was_cut else said is None
            call()
            left = outcome()
            if number == 1:
                expected = left
            assert left == expected, f"after message {number}"
            if not was_cut:
                return number - 1
    raise AssertionError("unreachable")


def creating(conn: psycopg.Connection, suffix: str) -> Made:
    reference = f"cut off {suffix}"

    def projects() -> object:
        made = pgwallet.create_project(conn, reference, commission_rate=RATE)
        return made.commission_rate, made.status

    return lambda: pgwallet.create_project(conn, reference, commission_rate=RATE), projects


def closing(conn: psycopg.Connection, suffix: str) -> Made:
    project = pgwallet.create_project(conn, f"cut off closing {suffix}").project_id

    def outcome() -> object:
        with pytest.raises(pgwallet.ProjectClosed):
            pgwallet.close_project(conn, project, "failed")
        return pgwallet.close_project(conn, project, "succeeded").status

    return lambda: pgwallet.close_project(conn, project, "succeeded"), outcome


CALLS = (creating, closing)


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("make", CALLS, ids=lambda each: each.__name__)
def test_the_same_call_again_completes_what_was_cut_off(
    far_router: str,
    relay: Relay,
    make: Callable[[psycopg.Connection, str], Made],
    done: bool,
) -> None:
    assert cut_everywhere(far_router, relay, make, done=done) >= 4
