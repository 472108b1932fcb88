"""One ledger for all tests that leave its world as it is, or whose changes are undone."""

from collections.abc import Iterator

import psycopg
import pytest

from tests import clusters
from tests.catalogue.world import World, world_in


@pytest.fixture(scope="module")
def shared(shared_database: str) -> Iterator[psycopg.Connection]:
    """A connection whose transaction, with the world in it, is rolled back after the module."""
    with psycopg.connect(shared_database) as conn:
        yield conn
        conn.rollback()


@pytest.fixture(scope=clusters.SCOPE)
def world(shared: psycopg.Connection, shared_shards: clusters.Shards | None) -> World:
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
