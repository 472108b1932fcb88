"""A database that holds the old tables and pgwallet, and the move from the one to the other."""

from collections.abc import Iterator

import pytest

pytest.importorskip("django", reason="Django is not installed: make setup")

from django.db import connection

from bench.orm.database import connect
from examples.from_an_orm.__main__ import main
from tests.databases import as_owner
from tests.examples.from_an_orm.old_service import NAMES, Ended, Move, fill


@pytest.fixture
def filled(database: str) -> Iterator[str]:
    """Conninfo of a database with the old tables, in use for some weeks, and pgwallet."""
    connect(database)
    fill()
    yield database
    connection.close()


@pytest.fixture
def move(filled: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Move:
    monkeypatch.setenv("COLUMNS", "160")

    def moved(*options: str) -> Ended:
        capsys.readouterr()
        code = main([*NAMES, "--from", filled, "--to", as_owner(filled), *options])
        return Ended(code, *capsys.readouterr())

    return moved
