"""A cluster of four shards and a router, each a database of one PostgreSQL 15."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgwallet import cluster
from tests import databases, servers

SHARDS = 4
ROLE = f"{databases.OWNER}_router"


@pytest.fixture(scope="session")
def cluster_server() -> Iterator[str]:
    """Conninfo of a superuser on a server that has PL/Proxy, with the roles of a cluster."""
    with servers.running("system") as conninfo:
        with psycopg.connect(conninfo, autocommit=True) as admin:
            if not admin.execute(
                "select 1 from pg_available_extensions where name = 'plproxy'"
            ).fetchone():
                servers.missing("PL/Proxy is not installed: apt-get install postgresql-15-plproxy")
        with databases.owner_role(conninfo):
            yield conninfo


@pytest.fixture(scope="session")
def whole(cluster_server: str) -> Iterator[cluster.ClusterFile]:
    """A cluster that the tests of a session share, each with owners of its own."""
    with ExitStack() as made:

        def database() -> str:
            return make_conninfo(
                cluster_server, dbname=made.enter_context(databases.created(cluster_server))
            )

        shards = [databases.as_owner(database()) for _ in range(SHARDS)]
        file = cluster.ClusterFile(
            name="tests",
            owner=databases.OWNER,
            role=ROLE,
            shards=tuple(cluster.shard_at(number, each) for number, each in enumerate(shards)),
            routers=(database(),),
        )
        cluster.init(file)
        yield file


@pytest.fixture
def router(whole: cluster.ClusterFile) -> Iterator[psycopg.Connection]:
    """A superuser's connection to the router, in autocommit: a call is no part of a transaction."""
    with psycopg.connect(whole.routers[0], autocommit=True) as connection:
        yield connection
