"""What tests run on: one server a session, one migrated template, a clone for each need."""

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.rows import tuple_row

import pgwallet
from tests import databases, servers

pytest_plugins = ["tests.ending"]


def pytest_collection_finish() -> None:
    """Thousands of collected tests stay; to look through them again and again takes 7 %."""
    gc.collect()
    gc.freeze()


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
    with databases.created(server) as name:
        pgwallet.migrate(databases.as_owner(make_conninfo(server, dbname=name)))
        yield name


@pytest.fixture
def database(server: str, template: str) -> Iterator[str]:
    """Conninfo of a migrated database for this test alone, which may commit."""
    with databases.created(server, template) as name:
        yield make_conninfo(server, dbname=name)


@pytest.fixture(scope="module")
def crowded_database(server: str, template: str) -> Iterator[str]:
    """Conninfo of a migrated database for the tests of a module, each with wallets of its own."""
    with databases.created(server, template) as name:
        yield make_conninfo(server, dbname=name)


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
def kept_sessions(shared_database: str) -> Iterator[list[psycopg.Connection]]:
    """The connection that `conn` lends, or none: a new one would plan every function anew."""
    kept: list[psycopg.Connection] = []
    yield kept
    for connection in kept:
        connection.close()


@pytest.fixture
def conn(
    shared_database: str, kept_sessions: list[psycopg.Connection]
) -> Iterator[psycopg.Connection]:
    """A superuser's connection whose transaction is rolled back after the test."""
    connection = kept_sessions.pop() if kept_sessions else psycopg.connect(shared_database)
    yield connection
    if not connection.closed:
        connection.rollback()
    if as_new(connection):
        kept_sessions.append(connection)
    else:
        connection.close()


def as_new(connection: psycopg.Connection) -> bool:
    """Whether the next test may have it, too: what a rollback leaves is as it was."""
    if connection.closed:
        return False
    changed = (connection.autocommit, connection.isolation_level, connection.read_only)
    return (
        changed == (False, None, None)
        and connection.row_factory is tuple_row
        and connection.cursor_factory is psycopg.Cursor
        and connection.prepare_threshold == 5
    )


@pytest.fixture
def connect(database: str) -> Iterator[Connect]:
    """Opens connections to `database`, as many as the test calls for; closes them after it."""
    with ExitStack() as connections:

        def opened(*, autocommit: bool = False) -> psycopg.Connection:
            connection = psycopg.connect(database, autocommit=autocommit)
            connections.callback(connection.close)
            return connection

        yield opened
