"""Settling all escrows of a project in batches, each committed on its own."""

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Protocol, TypeVar

from ._call import AsyncConnection, Call, Connection, one, run, run_async
from ._parameters import as_count, as_id
from .results import Project, RefundBatch, ReleaseBatch
from .transactions import run_transaction

B = TypeVar("B", ReleaseBatch, RefundBatch)


class BatchCall(Protocol[B]):
    """Describes the batch after an escrow; `wait` for escrows in use, or skip them."""

    def __call__(
        self, project_id: int, limit: int, after_escrow_id: int, wait: bool
    ) -> Call[B]: ...


def release_batch(
    project_id: int, limit: int, after_escrow_id: int, wait: bool
) -> Call[ReleaseBatch]:
    return Call(
        """
        select escrow_count, gross_amount, commission_amount, fee_amount, net_amount,
               last_escrow_id, transaction_id, replayed
        from pgwallet._release_batch(
          p_project_id => %s::bigint, p_limit => %s::int, p_after_escrow_id => %s::bigint,
          p_wait => %s::boolean)
        """,
        (
            as_id("project_id", project_id),
            as_count("limit", limit),
            as_id("after_escrow_id", after_escrow_id),
            wait,
        ),
        one(ReleaseBatch),
    )


def refund_batch(
    project_id: int, limit: int, after_escrow_id: int, wait: bool
) -> Call[RefundBatch]:
    return Call(
        """
        select escrow_count, refunded_amount, last_escrow_id, transaction_id, replayed
        from pgwallet._refund_batch(
          p_project_id => %s::bigint, p_limit => %s::int, p_after_escrow_id => %s::bigint,
          p_wait => %s::boolean)
        """,
        (
            as_id("project_id", project_id),
            as_count("limit", limit),
            as_id("after_escrow_id", after_escrow_id),
            wait,
        ),
        one(RefundBatch),
    )


# The first pass skips escrows that other transactions hold, the second waits for them.
_WAITS = (False, True)


def in_batches(
    conn: Connection, closing: Call[Project], following: Callable[[int, bool], Call[B]]
) -> Iterator[B]:
    """Closes the project, then yields each batch once it is committed, until none is left."""
    run_transaction(conn, partial(run, call=closing))
    for wait in _WAITS:
        done = run_transaction(conn, partial(run, call=following(0, wait)))
        while done.escrow_count:
            yield done
            done = run_transaction(conn, partial(run, call=following(done.last_escrow_id, wait)))


async def in_batches_async(
    conn: AsyncConnection, closing: Call[Project], following: Callable[[int, bool], Call[B]]
) -> AsyncIterator[B]:
    """As `in_batches`, on an async connection."""
    await run_transaction(conn, partial(run_async, call=closing))
    for wait in _WAITS:
        done = await run_transaction(conn, partial(run_async, call=following(0, wait)))
        while done.escrow_count:
            yield done
            call = following(done.last_escrow_id, wait)
            done = await run_transaction(conn, partial(run_async, call=call))
