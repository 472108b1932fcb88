"""A cluster of four shards and a router, each a database of one PostgreSQL 15."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet import cluster
from tests import clusters, databases, servers
from tests.cluster.killing import Killable, killable_cluster
from tests.clusters import ROLE, SHARDS

__all__ = ["ROLE", "SHARDS"]

MOVABLE = ("wal_level = logical", "max_connections = 200", "wal_retrieve_retry_interval = 100")


@pytest.fixture(scope="session")
def cluster_server() -> Iterator[str]:
    """Conninfo of a superuser on a server that has PL/Proxy, with the roles of a cluster."""
    with servers.running("cluster") as conninfo, databases.owner_role(conninfo):
        yield conninfo


@pytest.fixture(scope="session")
def whole(cluster_server: str) -> Iterator[cluster.ClusterFile]:
    """A cluster that the tests of a session share, each with owners of its own."""
    with clusters.made(cluster_server) as file:
        yield file


@pytest.fixture(scope="session")
def killable(cluster_server: str) -> Iterator[Killable]:
    """A cluster on servers of its own."""
    with killable_cluster(cluster_server) as made:
        yield made


@contextmanager
def _movable_server(programs: Path, place: Path) -> Iterator[str]:
    """With a log that can be followed."""
    with (
        servers.started(programs, place) as server,
        psycopg.connect(server.conninfo, autocommit=True) as admin,
    ):
        for setting in MOVABLE:
            admin.execute(f"alter system set {setting}".encode())
    with servers.started(programs, place) as server, databases.owner_role(server.conninfo):
        yield server.conninfo


@pytest.fixture(scope="session")
def two_servers(cluster_server: str) -> Iterator[tuple[str, str]]:
    with psycopg.connect(cluster_server) as conn:
        row = conn.execute("select setting from pg_config where name = 'BINDIR'").fetchone()
    assert row is not None
    with servers.directory() as place, ExitStack() as stack:
        first, second = (
            stack.enter_context(_movable_server(Path(row[0]), place / name))
            for name in ("first", "second")
        )
        yield first, second


@pytest.fixture
def router(whole: cluster.ClusterFile) -> Iterator[psycopg.Connection]:
    """A superuser's connection to the router, in autocommit: a call is no part of a transaction."""
    with psycopg.connect(whole.routers[0], autocommit=True) as connection:
        yield connection


def as_router(whole: cluster.ClusterFile, shard: int) -> psycopg.Connection:
    """A connection to the shard as routers have one, in autocommit."""
    return psycopg.connect(make_conninfo(whole.shards[shard].through, user=ROLE), autocommit=True)


@contextmanager
def as_owner(router: psycopg.Connection, file: cluster.ClusterFile) -> Iterator[None]:
    """Meanwhile the connection has the rights of whom the cluster belongs to."""
    router.execute(sql.SQL("set role {}").format(sql.Identifier(file.owner)))
    try:
        yield
    finally:
        router.execute("reset role")


def number_of(an_id: int) -> int:
    """The shard that an id is of."""
    return (an_id >> 46) - 1


def wallets_on_all_shards(conn: psycopg.Connection, name: str, currency: str = "EUR") -> list[int]:
    """A wallet on each shard, in the order of the shards; the owners' names begin with `name`."""
    found: dict[int, int] = {}
    for number in range(1000):
        wallet = pgwallet.create_wallet(conn, f"{name} {number}", currency).wallet_id
        found.setdefault(number_of(wallet), wallet)
        if len(found) == SHARDS:
            return [found[shard] for shard in range(SHARDS)]
    raise AssertionError(f"1000 owners are on {len(found)} shards alone")


def released_on_all_shards(
    conn: psycopg.Connection,
    name: str,
    currency: str = "EUR",
    commission_rate: Decimal | int = 0,
) -> int:
    """A project without fee, whose pledge of 10 on each shard was released."""
    project = pgwallet.create_project(
        conn, name, currency, commission_rate=commission_rate, fee_rate=0
    ).project_id
    for wallet in wallets_on_all_shards(conn, name, currency):
        pgwallet.deposit(conn, wallet, 10)
        pgwallet.pledge(conn, wallet, project, 10)
    pgwallet.close_project(conn, project, "succeeded")
    for _ in pgwallet.release_project(conn, project):
        pass
    return project
