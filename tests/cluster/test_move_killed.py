"""`pgwallet cluster move` is killed at each of its steps: until it is decided the shard is where it
was, and the same command again moves it.
"""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet import cluster
from pgwallet.cluster import ClusterFile
from tests import clusters, databases
from tests.clusters import written
from tests.effort import effort

# What the move is about to say when it is killed: the first statement that has these words.
STEPS = (
    "comment on publication",
    "create table",
    "create schema if not exists pgwallet_call",
    "insert into pgwallet_shard.identity",
    "alter publication",
    "pg_create_logical_replication_slot",
    "create subscription",
    "pg_subscription_rel",
    "analyze",
    "lock table pgwallet_router.gate",
    "share row exclusive",
    "setval",
    "mark_moved",
    "commit",
    "commit, the second",
    "alter subscription",
    "drop subscription",
    "pg_drop_replication_slot",
    "drop publication",
)
# From here on it is decided.
DECIDED = STEPS[STEPS.index("commit, the second") :]
TIMES = effort("PGWALLET_MOVES_KILLED", part=3, full=len(STEPS))

MOVE = """
import os, signal, sys
import psycopg
from pgwallet import cluster

step, path, place = sys.argv[1:]
words, _, again = step.partition(", the second")
left = 2 if step != words else 1
execute = psycopg.Cursor.execute

def killed(self, query, *args, **kwargs):
    global left
    text = query.decode() if isinstance(query, bytes) else query
    text = text if isinstance(text, str) else text.as_string(self)
    if words in text.lower() and (words != "commit" or text == words):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return execute(self, query, *args, **kwargs)

if step != "none":
    psycopg.Cursor.execute = killed
cluster.move(cluster.read_cluster_file(path), 1, place)
"""

pytestmark = pytest.mark.timeout(120 + 60 * TIMES)


@dataclass(slots=True)
class Moving:
    """A cluster of two shards, the second of which moves from server to server."""

    file: ClusterFile
    server: str
    databases: ExitStack
    wallet: int
    balance: int = 0

    def place(self) -> str:
        """An empty database there."""
        name = self.databases.enter_context(databases.created(self.server))
        return databases.as_owner(make_conninfo(self.server, dbname=name))


@pytest.fixture(scope="module")
def moving(two_servers: tuple[str, str]) -> Iterator[Moving]:
    first, second = two_servers
    with ExitStack() as stack, clusters.made(first, 2) as file:
        with psycopg.connect(file.routers[0], autocommit=True) as router:
            for number in range(64):
                wallet = pgwallet.create_wallet(router, f"killed {number}").wallet_id
                if wallet >> 46 == 2:
                    break
        yield Moving(file, second, stack, wallet)


def move(moving: Moving, step: str, place: str, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", MOVE, step, str(written(moving.file, path)), place],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )


def deposit(moving: Moving) -> None:
    with psycopg.connect(moving.file.routers[0], autocommit=True) as router:
        moving.balance += 1
        assert pgwallet.deposit(router, moving.wallet, 1).balance == moving.balance


def left_over(*places: str) -> list[object]:
    """What replication leaves in one of the places."""
    found: list[object] = []
    for place in places:
        with psycopg.connect(place) as conn:
            conn.execute("set role none")
            found += conn.execute(
                "select slot_name::text from pg_replication_slots "
                "union all select pubname from pg_publication "
                "union all select subname from pg_subscription"
            ).fetchall()
    return found


# What workers collect has to be the same, so a run of a few draws its steps here.
@pytest.mark.parametrize("number", range(TIMES))
def test_a_move_that_is_killed_is_done_by_the_same_command(
    moving: Moving, tmp_path: Path, number: int
) -> None:
    step = random.choice(STEPS) if len(STEPS) > TIMES else STEPS[number % len(STEPS)]
    path, old, new = tmp_path / "cluster.toml", moving.file.shards[1].conninfo, moving.place()
    killed = move(moving, step, new, path)
    assert killed.returncode == -signal.SIGKILL, f"{step}: {killed.stderr}"
    if step in DECIDED:
        with pytest.raises(errors.ReadOnlySqlTransaction), psycopg.connect(old) as conn:
            pgwallet.deposit(conn, moving.wallet, 1)
    else:
        deposit(moving)
    again = move(moving, "none", new, path)
    assert again.returncode == 0, again.stderr
    has_moved(moving, new)
    assert left_over(old, new) == []


def test_a_move_that_is_killed_may_go_to_another_place(moving: Moving, tmp_path: Path) -> None:
    path, left, new = tmp_path / "cluster.toml", moving.place(), moving.place()
    killed = move(moving, "lock table pgwallet_router.gate", left, path)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    again = move(moving, "none", new, path)
    assert again.returncode == 0, again.stderr
    has_moved(moving, new)
    # It would ask for its slot for ever.
    with psycopg.connect(left, autocommit=True) as conn:
        conn.execute("set role none")
        conn.execute("alter subscription pgwallet_move_1 disable")
        conn.execute("alter subscription pgwallet_move_1 set (slot_name = none)")
        conn.execute("drop subscription pgwallet_move_1")


def has_moved(moving: Moving, place: str) -> None:
    moved = cluster.shard_at(1, place)
    moving.file = replace(moving.file, shards=(moving.file.shards[0], moved))
    deposit(moving)
    assert cluster.status(moving.file).up_to_date
    assert cluster.check(moving.file) == []
