"""Waiting for what other sessions of the same database do."""

import time

import psycopg

from tests.ledger.calling import value

DEADLINE = 60.0  # seconds


def wait_until_writing(observer: psycopg.Connection) -> None:
    """Returns while another session is in the middle of its changes."""
    _wait_until(observer, "count(*) filter (where a.backend_xid is not null) > 0")


def wait_until_gone(observer: psycopg.Connection, application: str) -> None:
    """Returns once no session of this application is left."""
    _wait_until(observer, "count(*) filter (where a.application_name = %s) = 0", application)


def _wait_until(observer: psycopg.Connection, condition: str, *parameters: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        # Within a transaction the view would go on showing what it showed first.
        observer.execute("select pg_stat_clear_snapshot()")
        if value(
            observer,
            f"""
            select {condition} from pg_stat_activity as a
            where a.datname = current_database() and a.pid <> pg_backend_pid()
            """,
            *parameters,
        ):
            return
        time.sleep(0.001)
    raise AssertionError(f"not so after {DEADLINE:.0f} s: {condition}")
