"""Ledgers that all tests of a module may share."""

from collections.abc import Iterator

import psycopg
import pytest

from tests import clusters
from tests.catalogue.world import World
from tests.seals.history import sealed_world


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    """Where each test seals first what the others left."""
    return crowded_database


@pytest.fixture(scope="module")
def sealed(shared_database: str) -> Iterator[psycopg.Connection]:
    """A connection whose transaction, with all that is in it, is rolled back after the module."""
    with psycopg.connect(shared_database) as conn:
        yield conn
        conn.rollback()


@pytest.fixture(scope=clusters.SCOPE)
def world(sealed: psycopg.Connection, shared_shards: clusters.Shards | None) -> World:
    if shared_shards is not None:
        sealed.rollback()
        return shared_shards.kept(lambda: sealed_world(sealed))
    return sealed_world(sealed)
