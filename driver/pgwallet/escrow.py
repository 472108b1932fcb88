"""Escrow: money pledged to a project, released to it or given back."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from ._call import Call, database_function, each, one
from ._parameters import (
    as_count,
    as_decimal,
    as_decimals,
    as_id,
    as_ids,
    as_texts,
    as_time,
    origin,
)
from .results import ExpiredBatch, Pledge, PledgeRow, Refund, RefundBatch, Release, ReleaseBatch


@database_function
def pledge(
    wallet_id: int,
    project_id: int,
    amount: Decimal | int,
    expires_at: datetime | None = None,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Call[Pledge]:
    """Lock a wallet's money for a project, until it is released or refunded.

    `amount` is in major units; `expires_at` is an aware datetime in the future, after which
    `refund_expired_escrows` gives the money back. Returns the `Pledge` with its `escrow_id`.
    Raises InvalidAmount, InvalidArgument, WalletNotFound, ProjectNotFound,
    IdempotencyConflict, CurrencyMismatch, ProjectClosed, PledgeLimitExceeded,
    InsufficientFunds.
    Calls pgwallet.pledge.
    """
    return Call(
        """
        select escrow_id, wallet_id, project_id, amount, status, balance, transaction_id, replayed
        from pgwallet.pledge(
          p_wallet_id => %s::bigint, p_project_id => %s::bigint, p_amount => %s::numeric,
          p_expires_at => %s::timestamptz, p_idempotency_key => %s::text,
          p_metadata => %s::jsonb, p_effective_at => %s::timestamptz)
        """,
        (
            as_id("wallet_id", wallet_id),
            as_id("project_id", project_id),
            as_decimal("amount", amount),
            as_time("expires_at", expires_at),
            *origin(idempotency_key, metadata, effective_at),
        ),
        one(Pledge),
    )


@database_function
def pledge_many(
    project_id: int,
    wallet_ids: Iterable[int],
    amounts: Iterable[Decimal | int],
    idempotency_keys: Iterable[str | None] | None = None,
) -> Call[list[PledgeRow]]:
    """Lock the money of many wallets for one project, all of it or none.

    The lists run in parallel and are of one length; `amounts` are in major units. Returns a
    `PledgeRow` for each pledge, in the order given.
    Raises InvalidAmount, InvalidArgument, WalletNotFound, ProjectNotFound,
    IdempotencyConflict, CurrencyMismatch, ProjectClosed, PledgeLimitExceeded,
    InsufficientFunds.
    Calls pgwallet.pledge_many.
    """
    return Call(
        """
        select wallet_id, escrow_id, amount, balance, transaction_id, replayed
        from pgwallet.pledge_many(
          p_project_id => %s::bigint, p_wallet_ids => %s::bigint[],
          p_amounts => %s::numeric[], p_idempotency_keys => %s::text[])
        """,
        (
            as_id("project_id", project_id),
            as_ids("wallet_ids", wallet_ids),
            as_decimals("amounts", amounts),
            as_texts("idempotency_keys", idempotency_keys),
        ),
        each(PledgeRow),
    )


@database_function
def release_escrow(
    escrow_id: int,
    amount: Decimal | int | None = None,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Call[Release]:
    """Release one escrow, or a part of it, to its project less commission and fee.

    `amount` is in major units; None releases what is left. Returns the `Release` with what
    this call moved.
    Raises InvalidAmount, InvalidArgument, EscrowNotFound, IdempotencyConflict,
    ProjectNotClosed (a failed project), EscrowNotLocked.
    Calls pgwallet.release_escrow.
    """
    return Call(
        """
        select escrow_id, released_amount, commission_amount, fee_amount, net_amount, status,
               project_id, transaction_id, replayed
        from pgwallet.release_escrow(
          p_escrow_id => %s::bigint, p_amount => %s::numeric,
          p_idempotency_key => %s::text, p_metadata => %s::jsonb,
          p_effective_at => %s::timestamptz)
        """,
        (
            as_id("escrow_id", escrow_id),
            as_decimal("amount", amount),
            *origin(idempotency_key, metadata, effective_at),
        ),
        one(Release),
    )


@database_function
def refund_escrow(
    escrow_id: int,
    amount: Decimal | int | None = None,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Call[Refund]:
    """Give one escrow, or a part of it, back to its wallet.

    `amount` is in major units; None refunds what is left. Returns the `Refund` with what this
    call moved and the wallet's balance after it.
    Raises InvalidAmount, InvalidArgument, EscrowNotFound, IdempotencyConflict,
    EscrowNotLocked.
    Calls pgwallet.refund_escrow.
    """
    return Call(
        """
        select escrow_id, refunded_amount, status, balance, wallet_id, transaction_id, replayed
        from pgwallet.refund_escrow(
          p_escrow_id => %s::bigint, p_amount => %s::numeric,
          p_idempotency_key => %s::text, p_metadata => %s::jsonb,
          p_effective_at => %s::timestamptz)
        """,
        (
            as_id("escrow_id", escrow_id),
            as_decimal("amount", amount),
            *origin(idempotency_key, metadata, effective_at),
        ),
        one(Refund),
    )


@database_function
def release_escrows(
    project_id: int, limit: int = 100, after_escrow_id: int = 0, wait: bool = False
) -> Call[ReleaseBatch]:
    """Release one batch of a succeeded project's escrows.

    Takes up to `limit` escrows that no other transaction holds; with `wait` also those that
    others hold, once they have ended. `after_escrow_id`, the `last_escrow_id` of the batch
    before, only saves time. Returns the `ReleaseBatch` with sums in major units;
    `release_project` runs batches to the end.
    Raises InvalidArgument, ProjectNotFound, ProjectNotClosed.
    Calls pgwallet.release_escrows.
    """
    return Call(
        """
        select escrow_count, gross_amount, commission_amount, fee_amount, net_amount,
               last_escrow_id, transaction_id, replayed
        from pgwallet.release_escrows(
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


@database_function
def refund_escrows(
    project_id: int, limit: int = 100, after_escrow_id: int = 0, wait: bool = False
) -> Call[RefundBatch]:
    """Give back one batch of a failed project's escrows.

    Takes up to `limit` escrows that no other transaction holds; with `wait` also those that
    others hold, once they have ended. `after_escrow_id`, the `last_escrow_id` of the batch
    before, only saves time. Returns the `RefundBatch` with the sum in major units;
    `refund_project` runs batches to the end.
    Raises InvalidArgument, ProjectNotFound, ProjectNotClosed.
    Calls pgwallet.refund_escrows.
    """
    return Call(
        """
        select escrow_count, refunded_amount, last_escrow_id, transaction_id, replayed
        from pgwallet.refund_escrows(
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


@database_function
def refund_expired_escrows(limit: int = 100) -> Call[ExpiredBatch]:
    """Give back one batch of escrows that are past their `expires_at`, of any project.

    Takes up to `limit` escrows that no other transaction holds, none of a succeeded project.
    Returns the `ExpiredBatch`, with the sum in major units; call again until its
    `escrow_count` is 0.
    Raises InvalidArgument.
    Calls pgwallet.refund_expired_escrows.
    """
    return Call(
        """
        select escrow_count, refunded_amount, last_escrow_id, transaction_id, replayed, currency
        from pgwallet.refund_expired_escrows(p_limit => %s::int)
        """,
        (as_count("limit", limit),),
        one(ExpiredBatch),
    )
