"""The driver's functions through both kinds of connection."""

import asyncio
from collections.abc import Iterator
from typing import cast

import psycopg
import pytest

from tests.driver.calling import CallIt


@pytest.fixture(scope="session")
def async_session(
    shared_database: str,
) -> Iterator[tuple[asyncio.Runner, psycopg.AsyncConnection]]:
    """One for all tests, which a new one would have plan every function anew."""
    with asyncio.Runner() as runner:
        aconn = runner.run(psycopg.AsyncConnection.connect(shared_database))
        yield runner, aconn
        runner.run(aconn.close())


@pytest.fixture(params=["sync", "async"])
def call(
    request: pytest.FixtureRequest,
    conn: psycopg.Connection,
    async_session: tuple[asyncio.Runner, psycopg.AsyncConnection],
) -> Iterator[CallIt]:
    """One test, run on a connection and on an async one; nothing is committed."""
    if request.param == "sync":
        yield cast(CallIt, lambda function, *args, **kwargs: function(conn, *args, **kwargs))
        return
    runner, aconn = async_session
    yield cast(
        CallIt,
        lambda function, *args, **kwargs: runner.run(function(aconn, *args, **kwargs)),
    )
    runner.run(aconn.rollback())
