"""Waiting for something to happen, without guessing how long that takes."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import psycopg

DEADLINE = 20.0  # seconds


def until(happened: Callable[[], object], what: str = "it", seconds: float = DEADLINE) -> None:
    """Returns once it has happened."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"{what} does not happen within {seconds:.0f} s"
        time.sleep(0.01)


def until_true(
    observer: psycopg.Connection, condition: str, *values: object, seconds: float = DEADLINE
) -> None:
    """Returns once the server says so, on a connection that is on autocommit."""
    question = f"select {condition}".encode()
    until(lambda: observer.execute(question, values).fetchone() == (True,), condition, seconds)


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
