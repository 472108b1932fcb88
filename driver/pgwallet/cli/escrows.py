"""Commands for pledges and the escrows they make."""

import pgwallet

from .commands import Session, group, on_database
from .parameters import (
    Amount,
    BatchLimit,
    EffectiveAt,
    EscrowId,
    ExpiresAt,
    IdempotencyKey,
    Metadata,
    PartAmount,
    ProjectId,
    WalletId,
)

pledging = group()
escrow = group()


@on_database(pledging)
def pledge(
    session: Session,
    wallet_id: WalletId,
    project_id: ProjectId,
    amount: Amount,
    expires_at: ExpiresAt = None,
    idempotency_key: IdempotencyKey = None,
    metadata: Metadata = None,
    effective_at: EffectiveAt = None,
) -> None:
    """Lock a wallet's money for a project.

    It stays locked until it is released or refunded.

    \b
    Example:  pgwallet pledge 508398 510976 20 --expires-at 2027-01-31T12:00:00Z
    """
    pledged = pgwallet.pledge(
        session.conn,
        wallet_id,
        project_id,
        amount,
        expires_at,
        idempotency_key,
        metadata,
        effective_at,
    )
    session.show(pledged, session.currency_of(wallet_id))


@on_database(escrow, "release")
def release(
    session: Session,
    escrow_id: EscrowId,
    amount: PartAmount = None,
    idempotency_key: IdempotencyKey = None,
    metadata: Metadata = None,
    effective_at: EffectiveAt = None,
) -> None:
    """Release one escrow, or a part of it, to its project.

    The project gets it less commission and fee.

    \b
    Example:  pgwallet escrow release 511470 --amount 5.00
    """
    released = pgwallet.release_escrow(
        session.conn, escrow_id, amount, idempotency_key, metadata, effective_at
    )
    session.show(released, session.currency_of(released.project_id))


@on_database(escrow, "refund")
def refund(
    session: Session,
    escrow_id: EscrowId,
    amount: PartAmount = None,
    idempotency_key: IdempotencyKey = None,
    metadata: Metadata = None,
    effective_at: EffectiveAt = None,
) -> None:
    """Give one escrow, or a part of it, back to its wallet.

    \b
    Example:  pgwallet escrow refund 511470
    """
    refunded = pgwallet.refund_escrow(
        session.conn, escrow_id, amount, idempotency_key, metadata, effective_at
    )
    session.show(refunded, session.currency_of(refunded.wallet_id))


@on_database(escrow, "refund-expired")
def refund_expired(session: Session, limit: BatchLimit = 100) -> None:
    """Give back one batch of escrows past their expiry.

    They may be of any project. When it settled as many as the limit, there may be more.

    \b
    Example:  pgwallet escrow refund-expired --limit 1000
    """
    session.show(pgwallet.refund_expired_escrows(session.conn, limit))
