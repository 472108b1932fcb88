"""Escrow: money pledged to a project, released to it or given back."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from ._call import Count, Name
from ._function import database_function
from .results import (
    Dispute,
    Escrow,
    ExpiredBatch,
    Pledge,
    PledgeRow,
    Refund,
    RefundBatch,
    Release,
    ReleaseBatch,
    ReleaseRefund,
    ResolvedDispute,
)


@database_function
def pledge(
    wallet_id: int,
    project_id: int,
    amount: Decimal | int,
    expires_at: datetime | None = None,
    idempotency_key: Name | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Pledge:
    """Lock a wallet's money for a project.

    It stays locked until it is released or refunded. `amount` is in major units; `expires_at` is
    an aware datetime in the future, from when on the money is only given back, unless the project
    has succeeded by then. Returns the `Pledge` with its `escrow_id`.
    Raises InvalidAmount, InvalidArgument, WalletNotFound, ProjectNotFound,
    IdempotencyConflict, CurrencyMismatch, ProjectClosed, PledgeLimitExceeded,
    InsufficientFunds, AccountFrozen (wallet or project), AccountClosed.
    Calls pgwallet.pledge.
    """


@database_function
def pledge_many(
    project_id: int,
    wallet_ids: Iterable[int],
    amounts: Iterable[Decimal | int],
    idempotency_keys: Iterable[Name | None] | None = None,
    expires_at: Iterable[datetime | None] | None = None,
    metadata: Iterable[Any] | None = None,
    effective_at: Iterable[datetime | None] | None = None,
) -> list[PledgeRow]:
    """Lock the money of many wallets for one project, all of it or none.

    The lists run in parallel and are of one length, with one or None for each pledge; `amounts`
    are in major units. Returns a `PledgeRow` for each pledge, in the order given.
    Raises InvalidAmount, InvalidArgument, WalletNotFound, ProjectNotFound,
    IdempotencyConflict, CurrencyMismatch, ProjectClosed, PledgeLimitExceeded,
    InsufficientFunds, AccountFrozen (wallet or project), AccountClosed.
    Calls pgwallet.pledge_many.
    """


@database_function
def change_pledge(
    escrow_id: int,
    amount: Decimal | int,
    idempotency_key: Name | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Pledge:
    """Set what a pledge comes to, while its project is open.

    The wallet pays or gets the difference. `amount` is in major units, never below what was
    released and refunded of it, never above the limit of a pledge. Returns the `Pledge` with
    what the wallet has left.
    Raises InvalidAmount, InvalidArgument, EscrowNotFound, IdempotencyConflict, AccountClosed,
    AccountFrozen, ProjectClosed, EscrowNotLocked (disputed or expired), EscrowAmountExceeded,
    PledgeLimitExceeded, InsufficientFunds.
    Calls pgwallet.change_pledge.
    """


@database_function
def cancel_pledge(
    escrow_id: int,
    idempotency_key: Name | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Refund:
    """Give back what is left of a pledge to an open project.

    Returns the `Refund` with amounts in major units: what this call moved and the wallet's
    balance after it.
    Raises InvalidArgument, EscrowNotFound, IdempotencyConflict, ProjectClosed, EscrowNotLocked.
    Calls pgwallet.cancel_pledge.
    """


@database_function
def release_escrow(
    escrow_id: int,
    amount: Decimal | int | None = None,
    idempotency_key: Name | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Release:
    """Release one escrow, or a part of it, to its project.

    The project gets it less commission and fee, unless it expired before the project succeeded.
    `amount` is in major units; None releases what is left. Returns the `Release` with what this
    call moved.
    Raises InvalidAmount, InvalidArgument, EscrowNotFound, IdempotencyConflict,
    ProjectNotClosed (a failed project), EscrowNotLocked, EscrowAmountExceeded.
    Calls pgwallet.release_escrow.
    """


@database_function
def refund_escrow(
    escrow_id: int,
    amount: Decimal | int | None = None,
    idempotency_key: Name | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Refund:
    """Give one escrow, or a part of it, back to its wallet.

    `amount` is in major units; None refunds what is left. Returns the `Refund` with what this
    call moved and the wallet's balance after it.
    Raises InvalidAmount, InvalidArgument, EscrowNotFound, IdempotencyConflict,
    EscrowNotLocked, EscrowAmountExceeded.
    Calls pgwallet.refund_escrow.
    """


@database_function
def refund_release(
    escrow_id: int,
    amount: Decimal | int | None = None,
    keep_fees: bool = False,
    idempotency_key: Name | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> ReleaseRefund:
    """Give what was released of an escrow back to its wallet.

    `amount` is in major units; None gives back all that was released. Commission and fee give
    back what they took of it, and the project the rest; with `keep_fees` the project gives all.
    Returns the `ReleaseRefund` with what each gave back and the wallet's balance after it.
    Raises InvalidAmount, InvalidArgument, EscrowNotFound, IdempotencyConflict,
    EscrowAmountExceeded, InsufficientFunds (of the project).
    Calls pgwallet.refund_release.
    """


@database_function
def dispute_escrow(escrow_id: int, reason: str) -> Dispute:
    """Hold what is left of an escrow while it is disputed.

    Meanwhile nothing releases, refunds or changes it, no batch and no expiry. A disputed one
    stays as it is, with its first reason. Returns the `Dispute`, with what it holds in major units.
    Raises InvalidArgument, EscrowNotFound, EscrowNotLocked.
    Calls pgwallet.dispute_escrow.
    """


@database_function
def resolve_dispute(escrow_id: int, outcome: str) -> ResolvedDispute:
    """End the dispute of an escrow.

    `outcome` is upheld, which refunds what is left, or rejected, which locks it again. Returns
    the `ResolvedDispute`, with what was refunded and the wallet's balance in major units.
    Raises InvalidArgument, EscrowNotFound, EscrowNotLocked (not disputed).
    Calls pgwallet.resolve_dispute.
    """


@database_function
def release_escrows(
    project_id: int, limit: Count = 100, after_escrow_id: int = 0, wait: bool = False
) -> ReleaseBatch:
    """Release one batch of a succeeded project's escrows.

    Takes up to `limit` escrows that had not expired by then and that no other transaction holds;
    with `wait` also those that others hold, once they have ended. `after_escrow_id`, the
    `last_escrow_id` of the batch before, only saves time. Returns the `ReleaseBatch` with sums in
    major units; `release_project` runs batches to the end.
    Raises InvalidArgument, ProjectNotFound, ProjectNotClosed.
    Calls pgwallet.release_escrows.
    """


@database_function
def refund_escrows(
    project_id: int, limit: Count = 100, after_escrow_id: int = 0, wait: bool = False
) -> RefundBatch:
    """Give back one batch of a failed project's escrows.

    Takes up to `limit` escrows that no other transaction holds, neither them nor their wallets;
    with `wait` also those that others hold, once they have ended. `after_escrow_id`, the
    `last_escrow_id` of the batch before, only saves time. Returns the `RefundBatch` with the sum in
    major units; `refund_project` runs batches to the end.
    Raises InvalidArgument, ProjectNotFound, ProjectNotClosed.
    Calls pgwallet.refund_escrows.
    """


@database_function
def refund_expired_escrows(limit: Count = 100) -> ExpiredBatch:
    """Give back one batch of escrows that have expired.

    An escrow has if its `expires_at` came before its project succeeded. Takes up to `limit` that no
    other transaction holds, neither them nor their wallets, of any project. Returns the
    `ExpiredBatch`, with the sum in major units; call again until its `escrow_count` is 0.
    Raises InvalidArgument.
    Calls pgwallet.refund_expired_escrows.
    """


@database_function
def list_escrows(
    wallet_id: int | None = None,
    project_id: int | None = None,
    status: str | None = None,
    after_escrow_id: int = 0,
    limit: Count = 100,
) -> list[Escrow]:
    """The pledges of a wallet, or to a project, with where their money is.

    None of a wallet, a project or a status leaves it open. Returns up to `limit` of `Escrow` with
    an id above `after_escrow_id`, in the order of ids, with amounts in major units. Pass the last
    one's `escrow_id` for the next page.
    Raises InvalidArgument, WalletNotFound, ProjectNotFound.
    Calls pgwallet.list_escrows.
    """


@database_function
def list_settled_escrows(
    transaction_id: int, after_escrow_id: int = 0, limit: Count = 100
) -> list[Escrow]:
    """The pledges of which a transaction, such as a batch, took the last.

    Returns up to `limit` of `Escrow` with an id above `after_escrow_id`, in the order of ids,
    with amounts in major units. Pass the last one's `escrow_id` for the next page.
    Raises InvalidArgument.
    Calls pgwallet.list_settled_escrows.
    """


@database_function
def get_escrow(escrow_id: int) -> Escrow:
    """One pledge, and where its money is.

    Returns the `Escrow` with amounts in major units.
    Raises EscrowNotFound.
    Calls pgwallet.get_escrow.
    """
