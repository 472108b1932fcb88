"""Projects: opening and closing them, settling all their escrows, and paying out."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, overload

import psycopg

from ._batches import AsyncBatches, B, Batches, in_batches, in_batches_async
from ._call import Count, Name
from ._connection import AsyncConnection, Connection, not_a_connection
from ._function import DatabaseFunction, database_function
from ._parameters import as_count, as_id
from .errors import InvalidArgument
from .escrow import refund_escrows, release_escrows
from .results import Collection, Payout, Project, ProjectState, RefundBatch, ReleaseBatch
from .transactions import refuse_open_transaction


@database_function
def create_project(
    reference: str,
    currency: str = "EUR",
    commission_rate: Decimal | int | None = None,
    fee_rate: Decimal | int | None = None,
    max_pledge: Decimal | int | None = None,
    project_id: int | None = None,
    fee_fixed: Decimal | int | None = None,
) -> Project:
    """Open a project, or find the one that is there.

    The same reference and arguments again return the same project. Rates are fractions of 1;
    `fee_fixed`, which each escrow pays once, and `max_pledge` are in major units. All default to
    the settings, the limit to its currency's first, and stay as they are.
    `project_id` is for operators who move projects over: unused, and a multiple of 1024 below
    2^45. Returns the `Project`.
    Raises InvalidAmount, InvalidArgument, CurrencyMismatch (unknown currency).
    Calls pgwallet.create_project.
    """


@database_function
def close_project(project_id: int, outcome: str) -> Project:
    """Take no more pledges for a project.

    `outcome` is succeeded or failed; the same one again changes nothing. Returns the
    `Project`, with the limit of a pledge in major units.
    Raises InvalidArgument, ProjectNotFound, ProjectClosed (closed with the other outcome).
    Calls pgwallet.close_project.
    """


@database_function
def get_project(project_id: int) -> ProjectState:
    """One project, with what was pledged to it and what became of that.

    Returns the `ProjectState` with amounts in major units. It adds up the pledges of the project.
    Raises ProjectNotFound.
    Calls pgwallet.get_project.
    """


@database_function
def find_project(reference: Name) -> ProjectState | None:
    """The project of this reference, as `get_project` shows it.

    Returns the `ProjectState` with amounts in major units, or None where there is none.
    Raises InvalidArgument.
    Calls pgwallet.find_project.
    """


@database_function
def list_projects(
    status: str | None = None, after_project_id: int = 0, limit: Count = 100
) -> list[Project]:
    """Projects, without what was pledged to them.

    `status` is open, succeeded or failed; None is any. Returns up to `limit` of `Project` with an
    id above `after_project_id`, in the order of ids, with the limit of a pledge in major units.
    Raises InvalidArgument.
    Calls pgwallet.list_projects.
    """


@database_function
def collect_earnings(
    currency: str,
    account: str,
    amount: Decimal | int,
    idempotency_key: Name | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Collection:
    """Pay what the platform earned to the outside.

    `account` is commission or fee, `amount` in major units of the currency. Returns the
    `Collection` with what is left.
    Raises InvalidAmount, InvalidArgument, CurrencyMismatch (unknown currency), IdempotencyConflict,
    InsufficientFunds.
    Calls pgwallet.collect_earnings.
    """


@database_function
def payout(
    project_id: int,
    amount: Decimal | int,
    idempotency_key: Name | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Payout:
    """Pay released money out of a project, to the outside.

    `amount` is in major units of the project's currency. Returns the `Payout` with what the
    project has left.
    Raises InvalidAmount, InvalidArgument, ProjectNotFound, IdempotencyConflict,
    InsufficientFunds, AccountFrozen.
    Calls pgwallet.payout.
    """


@overload
def release_project(
    conn: Connection, project_id: int, batch_size: int = 1000
) -> Iterator[ReleaseBatch]: ...
@overload
def release_project(
    conn: AsyncConnection, project_id: int, batch_size: int = 1000
) -> AsyncIterator[ReleaseBatch]: ...
def release_project(
    conn: Connection | AsyncConnection, project_id: int, batch_size: int = 1000
) -> Iterator[ReleaseBatch] | AsyncIterator[ReleaseBatch]:
    """Close a project as succeeded and release all its escrows, batch by batch.

    Returns an iterator (an async one on an async connection) that yields a `ReleaseBatch`,
    with sums in major units, after each batch of up to `batch_size` escrows is committed.
    Nothing happens before the first step; where it is never taken, a RuntimeWarning says so.
    Whoever stops half-way can call it again, and it goes on from there. Batches that met a
    deadlock are run again as `run_transaction` does.
    Raises InvalidArgument, ProjectNotFound, ProjectClosed (it has failed), and
    psycopg.ProgrammingError on a connection that is in a transaction.
    Calls pgwallet.close_project and pgwallet.release_escrows, as the procedure
    pgwallet.release_project does.
    """
    return _settle("release_project", conn, project_id, "succeeded", batch_size, release_escrows)


@overload
def refund_project(
    conn: Connection, project_id: int, batch_size: int = 1000
) -> Iterator[RefundBatch]: ...
@overload
def refund_project(
    conn: AsyncConnection, project_id: int, batch_size: int = 1000
) -> AsyncIterator[RefundBatch]: ...
def refund_project(
    conn: Connection | AsyncConnection, project_id: int, batch_size: int = 1000
) -> Iterator[RefundBatch] | AsyncIterator[RefundBatch]:
    """Close a project as failed and give back all its escrows, batch by batch.

    Returns an iterator (an async one on an async connection) that yields a `RefundBatch`,
    with the sum in major units, after each batch of up to `batch_size` escrows is committed.
    Nothing happens before the first step; where it is never taken, a RuntimeWarning says so.
    Whoever stops half-way can call it again, and it goes on from there. Batches that met a
    deadlock are run again as `run_transaction` does.
    Raises InvalidArgument, ProjectNotFound, ProjectClosed (it has succeeded), and
    psycopg.ProgrammingError on a connection that is in a transaction.
    Calls pgwallet.close_project and pgwallet.refund_escrows, as the procedure
    pgwallet.refund_project does.
    """
    return _settle("refund_project", conn, project_id, "failed", batch_size, refund_escrows)


def _settle(
    name: str,
    conn: Connection | AsyncConnection,
    project_id: int,
    outcome: str,
    batch_size: int,
    settle: DatabaseFunction[..., B],
) -> Iterator[B] | AsyncIterator[B]:
    # At once, where the call is written, not at the first step.
    if project_id is not None:
        as_id("project_id", project_id)
    limit = None if batch_size is None else as_count("batch_size", batch_size)
    if limit is None or limit < 1:
        # The server would refuse it too, but only after the project was closed.
        raise InvalidArgument("batch_size must be at least 1", f"It is {batch_size}.")
    if isinstance(conn, psycopg.Connection):
        refuse_open_transaction(conn)
        return Batches(
            name,
            in_batches(
                conn,
                lambda conn: close_project(conn, project_id, outcome),
                settle,
                project_id,
                limit,
            ),
        )
    if isinstance(conn, psycopg.AsyncConnection):
        refuse_open_transaction(conn)
        return AsyncBatches(
            name,
            in_batches_async(
                conn,
                lambda conn: close_project(conn, project_id, outcome),
                settle,
                project_id,
                limit,
            ),
        )
    raise not_a_connection(conn)
