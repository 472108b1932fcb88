"""Holding what a deployment needs, and seeing that it waits."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

DEADLINE = 20.0  # seconds


@contextmanager
def deployment_lock(conninfo: str) -> Iterator[None]:
    """Keeps every deployment of this database waiting."""
    with psycopg.connect(conninfo) as conn:
        conn.execute("select pg_advisory_xact_lock(hashtextextended('pgwallet.deployment', 0))")
        yield


@contextmanager
def halt_before(conninfo: str, command: str) -> Iterator[None]:
    """Stops whoever completes such a DDL command in this database, until the block ends."""
    with psycopg.connect(conninfo) as conn:
        conn.execute(
            """
            create function public.halt() returns event_trigger language plpgsql
            as 'begin perform pg_advisory_xact_lock(4711); end'
            """
        )
        conn.execute(
            f"create event trigger halt on ddl_command_end when tag in ('{command}')"
            " execute function public.halt()".encode()
        )
        conn.commit()
        conn.execute("select pg_advisory_lock(4711)")
        yield
        conn.execute("drop event trigger halt")
        conn.execute("drop function public.halt()")


def wait_until_waiting(conninfo: str, count: int = 1) -> None:
    """Returns once so many backends of this database wait for a lock."""
    deadline = time.monotonic() + DEADLINE
    with psycopg.connect(conninfo, autocommit=True) as observer:
        while time.monotonic() < deadline:
            (waiting,) = observer.execute(
                """
                select count(*) from pg_stat_activity as a
                where a.datname = current_database() and a.wait_event_type = 'Lock'
                """
            ).fetchall()[0]
            if waiting >= count:
                return
            time.sleep(0.01)
    raise AssertionError(f"{waiting} instead of {count} wait for a lock after {DEADLINE:.0f} s")
