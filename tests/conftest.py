"""What tests run on: one server a session, one migrated template, a clone for each need."""

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import pgwallet
from tests import clusters, databases, effort, servers
from tests.catalogue.world import World, world_in
from tests.cluster import differences
from tests.lending import Lender

pytest_plugins = ["tests.ending"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    whole = tuple(f"tests/{place}" for place in effort.WHOLE_SYSTEMS)
    for item in items:
        if item.nodeid.startswith(whole):
            item.add_marker(pytest.mark.whole)
    if clusters.are_tested():
        differences.mark(config, items)
    else:
        items[:] = [item for item in items if not item.path.stem.endswith("_through_a_router")]


def pytest_collection() -> None:
    """Thousands of collected tests stay; to look through them again and again takes a fifth of
    collecting them, and then 7 % of the run.
    """
    gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()


class Connect(Protocol):
    def __call__(self, *, autocommit: bool = False) -> psycopg.Connection: ...


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Conninfo of a superuser on the server named by PGWALLET_TEST_SERVER."""
    name = os.environ.get("PGWALLET_TEST_SERVER") or "embedded"
    with servers.running(name) as conninfo, databases.owner_role(conninfo):
        yield conninfo


@pytest.fixture(scope="session")
def template(server: str) -> Iterator[str]:
    """Name of a database that was migrated once, by an owner who is no superuser."""
    if clusters.are_tested():
        with clusters.template(server) as router:
            yield router
        return
    with databases.created(server) as name:
        pgwallet.migrate(databases.as_owner(make_conninfo(server, dbname=name)))
        yield name


@pytest.fixture(scope="session")
def spare_shards(server: str, template: str) -> Iterator[tuple[str, clusters.Shards]]:
    """Where clusters are tested: a router to copy, and the shards that all its copies reach."""
    with (
        databases.created(server, template) as name,
        clusters.Shards(server, name).open() as shards,
    ):
        yield name, shards


@pytest.fixture
def database(server: str, template: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """Conninfo of a migrated database for this test alone, which may commit."""
    if clusters.are_tested():
        router, shards = request.getfixturevalue("spare_shards")
        shards.reset()
        with databases.copied(server, router) as name:
            yield make_conninfo(server, dbname=name)
        return
    with databases.created(server, template) as name:
        yield make_conninfo(server, dbname=name)


@pytest.fixture(scope="module")
def crowded_database(server: str, template: str, lenders: dict[str, Lender]) -> Iterator[str]:
    """Conninfo of a migrated database for the tests of a module, each with wallets of its own.

    `connect` lends them its sessions one after another, as they were at first but for their plans.
    """
    with databases.created(server, template) as name:
        conninfo = make_conninfo(server, dbname=name)
        with Lender(conninfo).open() as lenders[conninfo]:
            yield conninfo


@pytest.fixture
def empty_database(server: str) -> Iterator[str]:
    """Conninfo of a database without pgwallet, for this test alone."""
    with databases.created(server) as name:
        yield make_conninfo(server, dbname=name)


@pytest.fixture(scope="session")
def shared_database(server: str, template: str) -> Iterator[str]:
    """Conninfo of the migrated database behind `conn`; nothing is ever committed to it."""
    with databases.created(server, template) as name:
        yield make_conninfo(server, dbname=name)


@pytest.fixture(scope="session")
def shared_shards(server: str, shared_database: str) -> Iterator[clusters.Shards | None]:
    """What is behind `shared_database` where clusters are tested: all is committed to it."""
    if not clusters.are_tested():
        yield None
        return
    router = str(conninfo_to_dict(shared_database)["dbname"])
    with clusters.Shards(server, router).open() as shards:
        yield shards


@pytest.fixture(autouse=clusters.are_tested())
def nothing_committed(request: pytest.FixtureRequest) -> None:
    """Where clusters are tested: whoever shares a database finds it as if that were so."""
    uses = set(request.fixturenames)
    if "shared_database" in uses and not ("world" in uses and uses & clusters.KEPT):
        request.getfixturevalue("shared_shards").reset()


@pytest.fixture(scope="session")
def lenders() -> dict[str, Lender]:
    """By the conninfo of the databases that outlive a test."""
    return {}


@pytest.fixture(scope="session")
def shared_sessions(shared_database: str) -> Iterator[Lender]:
    with Lender(shared_database).open() as lender:
        yield lender


@pytest.fixture
def conn(shared_sessions: Lender) -> Iterator[psycopg.Connection]:
    """A superuser's connection whose transaction is rolled back after the test."""
    connection = shared_sessions.lend()
    yield connection
    shared_sessions.take_back(connection)


@pytest.fixture(scope="module")
def shared(shared_database: str) -> Iterator[psycopg.Connection]:
    """A connection whose transaction, with the world in it, is rolled back after the module.

    A module has either this or `conn`, which would wait for what is not committed here.
    """
    with psycopg.connect(shared_database) as conn:
        yield conn
        conn.rollback()


@pytest.fixture(scope=clusters.SCOPE)
def world(shared: psycopg.Connection, shared_shards: clusters.Shards | None) -> World:
    """For all tests of a module, which leave it as it is or have their changes undone."""
    if shared_shards is not None:
        return shared_shards.kept(lambda: world_in(shared))
    return world_in(shared)


@pytest.fixture
def undone(shared: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """The same connection; what the test does is undone, and the world stays."""
    if clusters.are_tested():
        yield shared
        shared.rollback()
        return
    with shared.transaction(force_rollback=True):
        yield shared


@pytest.fixture
def connect(database: str, lenders: dict[str, Lender]) -> Iterator[Connect]:
    """Opens connections to `database`, as many as the test calls for; closes them after it."""
    lender = lenders.get(database)
    with ExitStack() as connections:

        def opened(*, autocommit: bool = False) -> psycopg.Connection:
            if lender is None:
                connection = psycopg.connect(database, autocommit=autocommit)
                connections.callback(connection.close)
            else:
                connection = lender.lend(autocommit=autocommit)
                connections.callback(lender.take_back, connection)
            return connection

        yield opened
