"""Several calls in one transaction, run again when the database had to break it off."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from typing import Any, Protocol, TypeVar, cast, overload

import psycopg
from psycopg.pq import PipelineStatus, TransactionStatus

from ._connection import AsyncConnection, Connection, not_a_connection

T = TypeVar("T")

# Serialization failure, deadlock, lock not available, a shard that was not reached: the same work
# may succeed the next time. A shard that gave no answer (08007) may have done it already.
_TRANSIENT = frozenset({"40001", "40P01", "55P03", "08001"})
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0


class Pool(Protocol):
    """What `run_transaction` uses of a psycopg_pool.ConnectionPool."""

    def connection(self) -> AbstractContextManager[Connection]: ...


class AsyncPool(Protocol):
    """What `run_transaction` uses of a psycopg_pool.AsyncConnectionPool."""

    def connection(self) -> AbstractAsyncContextManager[AsyncConnection]: ...


@overload
def run_transaction(
    pool_or_conn: Connection | Pool, fn: Callable[[Connection], T], attempts: int = 5
) -> T: ...
@overload
def run_transaction(
    pool_or_conn: AsyncConnection | AsyncPool,
    fn: Callable[[AsyncConnection], Awaitable[T]],
    attempts: int = 5,
) -> Coroutine[Any, Any, T]: ...
def run_transaction(pool_or_conn: Any, fn: Callable[[Any], Any], attempts: int = 5) -> Any:
    """Run `fn(conn)` in a transaction, and all of it again when it met another one's way.

    Takes a connection in no transaction, or a pool of them, sync or async. Returns what `fn`
    returned, once that is committed. After a serialization failure, a deadlock or a lock
    timeout (40001, 40P01, 55P03), and where the shard of a cluster could not be reached (08001), it
    waits, twice as long each time and with jitter, and runs `fn` again, up to `attempts` times in
    all; so `fn` must be safe to repeat: what it does outside the database happens each time.
    Any other exception, and the last of those four, rolls back and passes through.
    Raises psycopg.ProgrammingError on a connection that is in a transaction, and ValueError
    for `attempts` below 1. Calls no SQL function of its own.
    """
    if attempts < 1:
        raise ValueError("attempts must be at least 1")
    if isinstance(pool_or_conn, psycopg.Connection):
        return _run(lambda: nullcontext(pool_or_conn), fn, attempts)
    if isinstance(pool_or_conn, psycopg.AsyncConnection):
        return _run_async(lambda: nullcontext(pool_or_conn), fn, attempts)
    if not callable(getattr(pool_or_conn, "connection", None)):
        raise not_a_connection(pool_or_conn)
    if hasattr(pool_or_conn, "__aenter__"):
        return _run_async(cast(AsyncPool, pool_or_conn).connection, fn, attempts)
    return _run(cast(Pool, pool_or_conn).connection, fn, attempts)


def run_call(conn: Connection, fn: Callable[[Connection], T]) -> T:
    """As `run_transaction`, for an `fn` that makes one call: on autocommit that is a transaction by
    itself, and goes to the server once instead of three times.
    """
    return _run(lambda: nullcontext(conn), fn, begun=_alone)


async def run_call_async(conn: AsyncConnection, fn: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """As `run_call`, on an async connection."""
    return await _run_async(lambda: nullcontext(conn), fn, begun=_alone)


def refuse_open_transaction(conn: Connection | AsyncConnection) -> None:
    """Raises unless the connection is free to begin, and to end, a transaction of its own."""
    # A closed connection's status is unknown; it raises an error of its own when it is used.
    if conn.info.transaction_status not in (TransactionStatus.IDLE, TransactionStatus.UNKNOWN):
        raise psycopg.ProgrammingError(
            "the connection is in a transaction, which this call can neither end nor repeat: "
            "commit or roll back first, or use another connection"
        )


def _run(
    connection: Callable[[], AbstractContextManager[Connection]],
    fn: Callable[[Connection], T],
    attempts: int = 5,
    begun: Callable[[Connection], AbstractContextManager[object]] = Connection.transaction,
) -> T:
    attempt = 1
    while True:
        try:
            with connection() as conn:
                refuse_open_transaction(conn)
                with begun(conn):
                    result = fn(conn)
                    _refuse_failed_transaction(conn)
                    return result
                raise psycopg.Rollback  # fn raised it: undone as asked, with nothing to return
        except psycopg.Error as error:
            if error.sqlstate not in _TRANSIENT or attempt >= attempts:
                raise
        time.sleep(_pause(attempt))
        attempt += 1


async def _run_async(
    connection: Callable[[], AbstractAsyncContextManager[AsyncConnection]],
    fn: Callable[[AsyncConnection], Awaitable[T]],
    attempts: int = 5,
    begun: Callable[
        [AsyncConnection], AbstractAsyncContextManager[object]
    ] = AsyncConnection.transaction,
) -> T:
    attempt = 1
    while True:
        try:
            async with connection() as conn:
                refuse_open_transaction(conn)
                async with begun(conn):
                    result = await fn(conn)
                    _refuse_failed_transaction(conn)
                    return result
                raise psycopg.Rollback  # fn raised it: undone as asked, with nothing to return
        except psycopg.Error as error:
            if error.sqlstate not in _TRANSIENT or attempt >= attempts:
                raise
        await asyncio.sleep(_pause(attempt))
        attempt += 1


@overload
def _alone(conn: Connection) -> AbstractContextManager[object]: ...
@overload
def _alone(conn: AsyncConnection) -> AbstractAsyncContextManager[object]: ...
def _alone(conn: Connection | AsyncConnection) -> Any:
    """What one call is made in, so that it is in a transaction, and has committed after it."""
    by_itself = conn.autocommit and conn.info.pipeline_status == PipelineStatus.OFF
    return nullcontext() if by_itself else conn.transaction()


def _refuse_failed_transaction(conn: Connection | AsyncConnection) -> None:
    # A commit here would roll back without a word, and fn would seem to have succeeded.
    if conn.info.transaction_status == TransactionStatus.INERROR:
        raise psycopg.errors.InFailedSqlTransaction(
            "the function returned although a statement had failed, so nothing can be committed: "
            "let the error pass, or put what may fail into conn.transaction()"
        )


def _pause(attempt: int) -> float:
    return random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**attempt))
