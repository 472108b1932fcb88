"""A database that all tests of a module may share, for modules with many short races."""

from collections.abc import Iterator

import pytest
from psycopg.conninfo import make_conninfo

from tests import databases


@pytest.fixture(scope="module")
def crowded_database(server: str, template: str) -> Iterator[str]:
    """Conninfo of a migrated database, where each test uses wallets and projects of its own."""
    with databases.created(server, template) as name:
        yield make_conninfo(server, dbname=name)
