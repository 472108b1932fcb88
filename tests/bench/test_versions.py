"""The comparison of two checkouts counts what the server's process took, for both alike."""

import sys

import pytest
from psycopg.conninfo import make_conninfo
from rich.console import Console

from bench import versions
from tests import databases

NAMES = ("deposit, keyed", "release_escrows, 100", "balance")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc of Linux")
def test_two_databases_take_turns_and_their_cost_is_counted(
    server: str, template: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(NAMES) <= set(versions.CALLS)
    for name in NAMES:
        _, *call = versions.CALLS[name]
        monkeypatch.setitem(versions.CALLS, name, (2, *call))
    monkeypatch.setattr(versions, "PLAIN", 100)
    monkeypatch.setattr(versions, "WIDE", 1)
    with databases.created(server, template) as name:
        other = make_conninfo(server, dbname=name)
        costs = versions.compared(other, database, NAMES, 2, Console(quiet=True))
    assert set(costs) == set(NAMES)
    for there, here in costs.values():
        assert len(there) == len(here) == 2
        assert all(cost > 1 for cost in there + here)
