"""Sessions that one test after another may have, where a database outlives a test.

A new session would look up and plan every function anew, which takes longer than most tests.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.rows import tuple_row

# All that a session keeps beyond a transaction, but for its plans.
_AS_AT_FIRST = b"""
set session authorization default; reset all; unlisten *; discard temp;
select pg_advisory_unlock_all()
"""


class Lender:
    """Opens a session when it has none left to lend."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._idle: list[psycopg.Connection] = []

    @contextmanager
    def open(self) -> Iterator["Lender"]:
        """Closes at the end what it has."""
        yield self
        for connection in self._idle:
            connection.close()

    def lend(self, *, autocommit: bool = False) -> psycopg.Connection:
        connection = self._idle.pop() if self._idle else psycopg.connect(self._conninfo)
        connection.autocommit = autocommit
        return connection

    def take_back(self, connection: psycopg.Connection) -> None:
        """Whatever its transaction did is rolled back; it is closed unless it can be as new."""
        if not connection.closed:
            connection.rollback()
        if _is_as_made(connection):
            self._reset(connection)
            self._idle.append(connection)
        else:
            connection.close()

    def _reset(self, connection: psycopg.Connection) -> None:
        connection.isolation_level = None
        connection.autocommit = True
        connection.execute(_AS_AT_FIRST)
        connection.autocommit = False


def _is_as_made(connection: psycopg.Connection) -> bool:
    """Whether nobody has changed what the driver keeps of it and cannot be asked to forget."""
    return (
        not connection.closed
        and connection.read_only is None
        and connection.row_factory is tuple_row
        and connection.cursor_factory is psycopg.Cursor
        and connection.prepare_threshold == 5
        and not connection._notice_handlers
    )
