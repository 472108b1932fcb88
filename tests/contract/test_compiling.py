"""No function has its plans compiled in a small ledger, which takes seconds.

A plan that takes what a function turned off counts as 10,000,000,000 dearer, and a server that can
compile does so from 100,000 on.
"""

import os
from pathlib import Path

import psycopg
import pytest

from tests.catalogue.calls import CALLS, FUNCTIONS, good
from tests.catalogue.world import world_in
from tests.ledger.calling import call

pytestmark = pytest.mark.sql


def test_no_call_is_compiled_in_a_small_ledger(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        # The library for it is loaded when it is first used.
        loaded = Path(f"/proc/{conn.info.backend_pid}/maps")
        if not os.access(loaded, os.R_OK):
            pytest.skip("what a server of this machine has loaded is read from /proc, as on Linux")
        with conn.transaction():
            world = world_in(conn)
        conn.execute("set jit = on")
        for name in FUNCTIONS:
            for _ in range(2):
                try:
                    call(conn, name, **good(name, world))
                except psycopg.Error:
                    assert not CALLS[name].alone, name  # as what waits for others is called here
            assert "llvmjit" not in loaded.read_text(), name
