"""A ledger that all tests of a module may share: each seals first what the others left."""

from collections.abc import Iterator

import pytest
from psycopg.conninfo import make_conninfo

from tests import databases


@pytest.fixture(scope="module")
def database(server: str, template: str) -> Iterator[str]:
    with databases.created(server, template) as name:
        yield make_conninfo(server, dbname=name)
