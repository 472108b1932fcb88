"""The driver's functions through both kinds of connection."""

import asyncio
from collections.abc import Iterator
from typing import cast

import psycopg
import pytest

from tests.driver.calling import CallIt


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, shared_database: str) -> Iterator[CallIt]:
    """One test, run on a connection and on an async one; nothing is committed."""
    if request.param == "sync":
        with psycopg.connect(shared_database) as conn:
            yield cast(CallIt, lambda function, *args, **kwargs: function(conn, *args, **kwargs))
            conn.rollback()
        return
    with asyncio.Runner() as runner:
        aconn = runner.run(psycopg.AsyncConnection.connect(shared_database))
        yield cast(
            CallIt,
            lambda function, *args, **kwargs: runner.run(function(aconn, *args, **kwargs)),
        )
        runner.run(aconn.rollback())
        runner.run(aconn.close())
