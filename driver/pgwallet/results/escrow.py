"""What the functions of single pledges and of expired ones return."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Pledge:
    """Money locked for a project; `balance` is what the wallet has left."""

    escrow_id: int
    wallet_id: int
    project_id: int
    amount: Decimal
    status: str
    balance: Decimal
    transaction_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class PledgeRow:
    """One pledge of `pledge_many`; `balance` is what the wallet has left."""

    wallet_id: int
    escrow_id: int
    amount: Decimal
    balance: Decimal
    transaction_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class Escrow:
    """A pledge as it is now: whose, for which project, and where its money is.

    `status` is locked or disputed while anything is left, then released, refunded, expired or
    settled; `expired` is true for what is locked and can only be refunded. `amount` is what was
    pledged: locked, released and refunded together. `net_amount` is below 0 where a release was
    refunded but its fees kept. `settled_by` is the transaction that took the last of it, None
    while anything is left.
    """

    escrow_id: int
    wallet_id: int
    project_id: int
    reference: str
    status: str
    expired: bool
    created_at: datetime
    expires_at: datetime | None
    currency: str
    amount: Decimal
    locked_amount: Decimal
    released_amount: Decimal
    refunded_amount: Decimal
    commission_amount: Decimal
    fee_amount: Decimal
    net_amount: Decimal
    settled_by: int | None


@dataclass(frozen=True, slots=True)
class Release:
    """What one call released from an escrow, and how it was divided.

    `status` is the escrow's: locked, released or settled.
    """

    escrow_id: int
    released_amount: Decimal
    commission_amount: Decimal
    fee_amount: Decimal
    net_amount: Decimal
    status: str
    project_id: int
    transaction_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class Refund:
    """What one call gave back from an escrow; `balance` is the wallet's."""

    escrow_id: int
    refunded_amount: Decimal
    status: str
    balance: Decimal
    wallet_id: int
    transaction_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class ReleaseRefund:
    """What one call gave back of a release: in all, and by commission, fee and project (net).

    `status` is the escrow's; `balance` is the wallet's.
    """

    escrow_id: int
    refunded_amount: Decimal
    commission_amount: Decimal
    fee_amount: Decimal
    net_amount: Decimal
    status: str
    balance: Decimal
    wallet_id: int
    project_id: int
    transaction_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class Dispute:
    """An escrow that is disputed, with the amount that the dispute holds."""

    escrow_id: int
    status: str
    wallet_id: int
    project_id: int
    disputed_amount: Decimal


@dataclass(frozen=True, slots=True)
class ResolvedDispute:
    """What the end of a dispute made of an escrow; `balance` is the wallet's.

    Where it was rejected, `refunded_amount` is 0 and `transaction_id` None.
    """

    escrow_id: int
    status: str
    refunded_amount: Decimal
    balance: Decimal
    wallet_id: int
    transaction_id: int | None
    replayed: bool


@dataclass(frozen=True, slots=True)
class ExpiredBatch:
    """The sum over one batch of refunded escrows, of any project.

    An `escrow_count` of 0 means that no expired escrow was free to refund. `refunded_amount`
    is None when the batch met several currencies, and `currency` is, unless it met just one.
    """

    escrow_count: int
    refunded_amount: Decimal | None
    last_escrow_id: int
    transaction_id: int | None
    replayed: bool
    currency: str | None
