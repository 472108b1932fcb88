"""Ledgers that all tests of a module crowd, and that are sound as a whole after the last one."""

from collections.abc import Iterator

import psycopg
import pytest

import pgwallet


@pytest.fixture(scope="module")
def crowded_database(crowded_database: str) -> Iterator[str]:
    """Each test looks at what is new (`assert_sound`), which takes a third of the time."""
    yield crowded_database
    with psycopg.connect(crowded_database) as conn:
        assert pgwallet.check_ledger(conn) == []
