"""What tests run on: one server a session, one migrated template, a clone for each need."""

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from tests import databases, servers
from tests.lending import Lender

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
