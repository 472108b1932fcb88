"""Projects: opening and closing them, settling all their escrows, and paying out."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, overload

import psycopg

from ._batches import B, SettleBatch, in_batches, in_batches_async
from ._call import AsyncConnection, Call, Connection, database_function, not_a_connection, one
from ._parameters import as_count, as_decimal, as_id, as_text, origin
from .errors import InvalidArgument
from .escrow import refund_escrows, release_escrows
from .results import Payout, Project, RefundBatch, ReleaseBatch
from .transactions import refuse_open_transaction


@database_function
def create_project(
    reference: str,
    currency: str = "EUR",
    commission_rate: Decimal | int | None = None,
    fee_rate: Decimal | int | None = None,
    max_pledge: Decimal | int | None = None,
    project_id: int | None = None,
) -> Call[Project]:
    """Open a project for pledges, or return the one with the same reference and arguments.

    Rates are fractions of 1 and `max_pledge` is in major units; both default to the settings
    and stay as they are. `project_id` is for moving projects over: unused, and a multiple of
    1024. Returns the `Project`.
    Raises InvalidAmount, InvalidArgument, CurrencyMismatch (unknown currency).
    Calls pgwallet.create_project.
    """
    return Call(
        """
        select project_id, reference, currency, status, commission_rate, fee_rate, max_pledge
        from pgwallet.create_project(
          p_reference => %s::text, p_currency => %s::text, p_commission_rate => %s::numeric,
          p_fee_rate => %s::numeric, p_max_pledge => %s::numeric, p_project_id => %s::bigint)
        """,
        (
            as_text("reference", reference),
            as_text("currency", currency),
            as_decimal("commission_rate", commission_rate),
            as_decimal("fee_rate", fee_rate),
            as_decimal("max_pledge", max_pledge),
            as_id("project_id", project_id),
        ),
        one(Project),
    )


@database_function
def close_project(project_id: int, outcome: str) -> Call[Project]:
    """Take no more pledges for a project.

    `outcome` is succeeded or failed; the same one again changes nothing. Returns the
    `Project`.
    Raises InvalidArgument, ProjectNotFound, ProjectClosed (closed with the other outcome).
    Calls pgwallet.close_project.
    """
    return Call(
        """
        select project_id, reference, currency, status, commission_rate, fee_rate, max_pledge
        from pgwallet.close_project(p_project_id => %s::bigint, p_outcome => %s::text)
        """,
        (as_id("project_id", project_id), as_text("outcome", outcome)),
        one(Project),
    )


@database_function
def payout(
    project_id: int,
    amount: Decimal | int,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Call[Payout]:
    """Pay released money out of a project, to the outside.

    `amount` is in major units of the project's currency. Returns the `Payout` with what the
    project has left.
    Raises InvalidAmount, InvalidArgument, ProjectNotFound, IdempotencyConflict,
    InsufficientFunds.
    Calls pgwallet.payout.
    """
    return Call(
        """
        select balance, transaction_id, replayed
        from pgwallet.payout(
          p_project_id => %s::bigint, p_amount => %s::numeric,
          p_idempotency_key => %s::text, p_metadata => %s::jsonb,
          p_effective_at => %s::timestamptz)
        """,
        (
            as_id("project_id", project_id),
            as_decimal("amount", amount),
            *origin(idempotency_key, metadata, effective_at),
        ),
        one(Payout),
    )


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
    Nothing happens before the first step. Whoever stops half-way can call it again, and it
    goes on from there. Batches that met a deadlock are run again as `run_transaction` does.
    Raises InvalidArgument, ProjectNotFound, ProjectClosed (it has failed), and
    psycopg.ProgrammingError on a connection that is in a transaction.
    Calls pgwallet.close_project and pgwallet.release_escrows, as the procedure
    pgwallet.release_project does.
    """
    return _settle(conn, project_id, "succeeded", batch_size, release_escrows)


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
    Nothing happens before the first step. Whoever stops half-way can call it again, and it
    goes on from there. Batches that met a deadlock are run again as `run_transaction` does.
    Raises InvalidArgument, ProjectNotFound, ProjectClosed (it has succeeded), and
    psycopg.ProgrammingError on a connection that is in a transaction.
    Calls pgwallet.close_project and pgwallet.refund_escrows, as the procedure
    pgwallet.refund_project does.
    """
    return _settle(conn, project_id, "failed", batch_size, refund_escrows)


def _settle(
    conn: Connection | AsyncConnection,
    project_id: int,
    outcome: str,
    batch_size: int,
    settle: SettleBatch[B],
) -> Iterator[B] | AsyncIterator[B]:
    # At once, where the call is written, not at the first step.
    as_id("project_id", project_id)
    limit = as_count("batch_size", batch_size)
    if limit is None or limit < 1:
        # The server would refuse it too, but only after the project was closed.
        raise InvalidArgument("batch_size must be at least 1", f"It is {batch_size}.")
    if isinstance(conn, psycopg.Connection):
        refuse_open_transaction(conn)
        return in_batches(
            conn, lambda conn: close_project(conn, project_id, outcome), settle, project_id, limit
        )
    if isinstance(conn, psycopg.AsyncConnection):
        refuse_open_transaction(conn)
        return in_batches_async(
            conn, lambda conn: close_project(conn, project_id, outcome), settle, project_id, limit
        )
    raise not_a_connection(conn)
