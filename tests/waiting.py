"""Waiting for another connection to block, without guessing how long that takes."""

import time
from concurrent.futures import Future
from typing import Any

import psycopg

DEADLINE = 20.0  # seconds


def wait_until_blocked(
    observer: psycopg.Connection, pid: int, work: Future[Any] | None = None, waits_for: str = "Lock"
) -> None:
    """Returns once the backend waits for a lock, a row's or an advisory one, or for a "Timeout".

    Fails at once if the work that was to wait has ended instead.
    """
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if work is not None and work.done():
            raise AssertionError(f"it did not wait: {work.exception() or work.result()}")
        # Within a transaction the view would go on showing what it showed first.
        observer.execute("select pg_stat_clear_snapshot()")
        row = observer.execute(
            "select wait_event_type from pg_stat_activity where pid = %s", [pid]
        ).fetchone()
        if row is None:
            raise AssertionError(f"backend {pid} has ended")
        if row[0] == waits_for:
            return
        time.sleep(0.01 if waits_for == "Lock" else 0)
    raise AssertionError(
        f"backend {pid} does not wait for a {waits_for.lower()} after {DEADLINE:.0f} s"
    )
