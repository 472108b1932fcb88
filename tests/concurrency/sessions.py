"""Several sessions at work: one that waits for another, or all at once."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import Barrier
from typing import Any, TypeVar

import psycopg
from psycopg import IsolationLevel

from tests.waiting import wait_until_blocked

T = TypeVar("T")

HIGHER = [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE]
ALL_LEVELS = [IsolationLevel.READ_COMMITTED, *HIGHER]


@contextmanager
def blocked(
    conn: psycopg.Connection,
    observer: psycopg.Connection,
    function: Callable[[], T],
    waits_for: str = "Lock",
) -> Iterator[Future[T]]:
    """Runs `function`, which uses `conn`, in a thread, and yields once the server has it wait."""
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(function)
        try:
            wait_until_blocked(observer, conn.info.backend_pid, future, waits_for)
            yield future
        except BaseException:
            # The test failed: what the call waits for may never come.
            conn.cancel_safe()
            raise


def at(conn: psycopg.Connection, level: IsolationLevel) -> psycopg.Connection:
    """The connection at this level, with its snapshot taken."""
    conn.isolation_level = level
    conn.execute("select count(*) from pgwallet.project")
    return conn


def at_once(functions: list[Callable[[], Any]]) -> list[Any]:
    """Runs all of them in threads that start together; their results, in order."""
    start = Barrier(len(functions))

    def started(function: Callable[[], Any]) -> Any:
        start.wait(20)
        return function()

    with ThreadPoolExecutor(len(functions)) as threads:
        futures = [threads.submit(started, function) for function in functions]
        return [future.result() for future in futures]


@contextmanager
def all_blocked(
    observer: psycopg.Connection,
    calls: Sequence[tuple[psycopg.Connection, Callable[[], T]]],
    waits_for: str = "Lock",
) -> Iterator[list[Future[T]]]:
    """Runs a call on each connection and yields once the server has all of them wait."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(blocked(conn, observer, function, waits_for))
            for conn, function in calls
        ]


def read_tables_whole(conn: psycopg.Connection) -> None:
    """Has every plan come to rows as they lie in their table, not by id."""
    for how in ("indexscan", "bitmapscan", "indexonlyscan"):
        conn.execute(f"set enable_{how} = off".encode())
    conn.commit()  # so that a rollback does not undo it
