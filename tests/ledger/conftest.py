"""One ledger for all tests that only see it refuse."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.ledger.world import World, world_in


@pytest.fixture(scope="module")
def world(shared_database: str) -> Iterator[World]:
    with psycopg.connect(shared_database) as conn:
        yield world_in(conn)
        conn.rollback()
