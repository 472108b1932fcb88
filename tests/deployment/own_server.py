"""A server for a test alone: another environment or other settings than the one of all tests."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest


@contextmanager
def directory() -> Iterator[Path]:
    """A new one that the server's account may enter."""
    with tempfile.TemporaryDirectory(prefix="pgwallet-own-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


def programs(server: str) -> Path:
    """Where the programs are of the server that the other tests use."""
    if os.environ.get("PGWALLET_TEST_SERVER") not in (
        None,
        "",
        "embedded",
        "embedded-16",
        "system",
    ):
        pytest.skip("a server that the tests did not start cannot be started again")
    with psycopg.connect(server) as conn:
        row = conn.execute(
            "select c.setting from pg_config as c where c.name = 'BINDIR'"
        ).fetchone()
    assert row is not None
    return Path(row[0])
