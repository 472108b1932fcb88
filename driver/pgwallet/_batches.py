"""Settling all escrows of a project in batches, each committed on its own."""

import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar

from ._connection import AsyncConnection, Connection
from ._function import DatabaseFunction
from .results import RefundBatch, ReleaseBatch
from .transactions import run_call, run_call_async

B = TypeVar("B", ReleaseBatch, RefundBatch)

# The first pass skips escrows that other transactions hold, the second waits for them.
_WAITS = (False, True)


class Batches(Iterator[B]):
    """What the batches gave, one after the other; says so when nobody asked for the first."""

    def __init__(self, name: str, batches: Iterator[B]) -> None:
        self._name: str | None = name
        self._batches: Iterator[B] = batches

    def __next__(self) -> B:
        self._name = None
        return next(self._batches)

    def __del__(self) -> None:
        _warn_of(self._name)


class AsyncBatches(AsyncIterator[B]):
    """The same on an async connection."""

    def __init__(self, name: str, batches: AsyncIterator[B]) -> None:
        self._name: str | None = name
        self._batches: AsyncIterator[B] = batches

    async def __anext__(self) -> B:
        self._name = None
        return await anext(self._batches)

    def __del__(self) -> None:
        _warn_of(self._name)


def _warn_of(never_begun: str | None) -> None:
    if never_begun is not None:
        warnings.warn(
            f"{never_begun} was never iterated, so it did nothing: write "
            f"`for batch in pgwallet.{never_begun}(...)`",
            RuntimeWarning,
            stacklevel=3,
        )


def in_batches(
    conn: Connection,
    close: Callable[[Connection], object],
    settle: DatabaseFunction[..., B],
    project_id: int,
    limit: int,
) -> Iterator[B]:
    """Closes the project, then yields each batch once it is committed, until none is left."""

    def batch(after_escrow_id: int, wait: bool) -> B:
        return run_call(conn, lambda conn: settle(conn, project_id, limit, after_escrow_id, wait))

    run_call(conn, close)
    for wait in _WAITS:
        done = batch(0, wait)
        while done.escrow_count:
            yield done
            done = batch(done.last_escrow_id, wait)


async def in_batches_async(
    conn: AsyncConnection,
    close: Callable[[AsyncConnection], Awaitable[object]],
    settle: DatabaseFunction[..., B],
    project_id: int,
    limit: int,
) -> AsyncIterator[B]:
    """As `in_batches`, on an async connection."""

    async def batch(after_escrow_id: int, wait: bool) -> B:
        return await run_call_async(
            conn, lambda conn: settle(conn, project_id, limit, after_escrow_id, wait)
        )

    await run_call_async(conn, close)
    for wait in _WAITS:
        done = await batch(0, wait)
        while done.escrow_count:
            yield done
            done = await batch(done.last_escrow_id, wait)
