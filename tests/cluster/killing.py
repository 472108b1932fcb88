"""A cluster whose servers can be killed, and clients that make a call again until it is done."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgwallet import cluster
from tests import clusters, databases, servers
from tests.faults.server import KillableServer
from tests.ledger.calling import value

PATIENCE = 60.0  # seconds

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Killable:
    """Shards 0 and 1 on one server, 2 and 3 on another, and their router on a third."""

    shards: tuple[KillableServer, KillableServer]
    routers: KillableServer
    file: cluster.ClusterFile

    @property
    def router(self) -> str:
        return self.file.routers[0]


@contextmanager
def killable_cluster(server: str) -> Iterator[Killable]:
    """With the programs of that server."""
    if not Path("/proc/thread-self/children").exists():
        pytest.skip("the processes of a server are looked up in /proc, as Linux has it")
    with psycopg.connect(server) as conn:
        programs = Path(value(conn, "select setting from pg_config where name = 'BINDIR'"))
    with ExitStack() as stack:

        def started() -> KillableServer:
            made = KillableServer(programs, stack.enter_context(servers.directory()))
            stack.callback(made.stop)
            with psycopg.connect(made.conninfo) as admin:
                admin.execute(sql.SQL("create role {}").format(sql.Identifier(databases.OWNER)))
            return made

        first, second, routers = started(), started(), started()
        places = [
            shard.conninfo
            for each in (first, second)
            for shard in stack.enter_context(clusters.planned(each.conninfo, 2)).shards
        ]
        file = cluster.ClusterFile(
            name="killed",
            owner=databases.OWNER,
            role=clusters.ROLE,
            shards=tuple(cluster.shard_at(number, each) for number, each in enumerate(places)),
            routers=(
                make_conninfo(
                    routers.conninfo,
                    dbname=stack.enter_context(databases.created(routers.conninfo)),
                ),
            ),
        )
        cluster.init(file)
        yield Killable((first, second), routers, file)
        for each in (first, second, routers):
            each.start()  # a test that failed may have left it dead, and its databases are dropped


class Client:
    """Makes each call again, in a new session where the last was lost, until it was done."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self.conn: psycopg.Connection | None = None
        self.repeats = 0

    def __call__(self, call: Callable[[psycopg.Connection], T]) -> T:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                if self.conn is None or self.conn.closed:
                    self.conn = psycopg.connect(self._conninfo, autocommit=True)
                return call(self.conn)
            except psycopg.OperationalError:
                # 08001 and 08007 of a shard leave the session as it is.
                assert time.monotonic() < deadline, "it does not come back"
                self.repeats += 1
                time.sleep(0.02)

    def close(self) -> None:
        if self.conn is not None:
            self.conn.close()
