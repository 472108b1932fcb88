"""Settling all escrows of a project in batches, each committed on its own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar

from ._connection import AsyncConnection, Connection
from ._function import DatabaseFunction
from .results import RefundBatch, ReleaseBatch
from .transactions import run_transaction

B = TypeVar("B", ReleaseBatch, RefundBatch)

# The first pass skips escrows that other transactions hold, the second waits for them.
_WAITS = (False, True)


def in_batches(
    conn: Connection,
    close: Callable[[Connection], object],
    settle: DatabaseFunction[..., B],
    project_id: int,
    limit: int,
) -> Iterator[B]:
    """Closes the project, then yields each batch once it is committed, until none is left."""

    def batch(after_escrow_id: int, wait: bool) -> B:
        return run_transaction(
            conn, lambda conn: settle(conn, project_id, limit, after_escrow_id, wait)
        )

    run_transaction(conn, close)
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
        return await run_transaction(
            conn, lambda conn: settle(conn, project_id, limit, after_escrow_id, wait)
        )

    await run_transaction(conn, close)
    for wait in _WAITS:
        done = await batch(0, wait)
        while done.escrow_count:
            yield done
            done = await batch(done.last_escrow_id, wait)
