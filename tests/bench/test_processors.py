"""What servers used of the processors is read alike while a session lives and once it has ended."""

import time

import psycopg

from bench.cluster import processors
from pgwallet import embedded

BUSY = "select count(*) from generate_series(1, 2000000)"
TICK = 20_000  # microseconds: what rounding takes away once a session has ended
TIMEOUT = 60  # seconds


def test_work_of_a_session_counts_while_it_lives_and_afterwards() -> None:
    with embedded.start() as server:
        before = processors.used_by([server])
        with psycopg.connect(server.conninfo, autocommit=True) as conn:
            deadline = time.monotonic() + TIMEOUT
            while processors.used_by([server]) < before + 10 * TICK:
                assert time.monotonic() < deadline
                conn.execute(BUSY)
            alive = processors.used_by([server])
            pid = conn.info.backend_pid
            assert pid in processors.processes_of(server)
        deadline = time.monotonic() + TIMEOUT
        while pid in processors.processes_of(server):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert processors.used_by([server]) >= alive - TICK
