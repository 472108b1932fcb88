"""The comparison of two checkouts counts what the server's process took, for both alike."""

import sys

import pytest
from rich.console import Console

import pgwallet
from bench.versions import CALLS, compared

NAMES = ("deposit, keyed", "release_escrows, 100", "balance")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc of Linux")
def test_two_databases_take_turns_and_their_cost_is_counted(
    database: str, empty_database: str
) -> None:
    pgwallet.migrate(empty_database)
    costs = compared(empty_database, database, NAMES, 2, Console(quiet=True))
    assert set(costs) == set(NAMES) <= set(CALLS)
    for there, here in costs.values():
        assert len(there) == len(here) == 2
        assert all(cost > 1 for cost in there + here)
