"""What the functions of projects return, and the batches that settle one."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Project:
    """A project; `status` is open, succeeded or failed, and rates are fractions of 1."""

    project_id: int
    reference: str
    currency: str
    status: str
    commission_rate: Decimal
    fee_rate: Decimal
    fee_fixed: Decimal
    max_pledge: Decimal


@dataclass(frozen=True, slots=True)
class ProjectState:
    """A project, what was pledged to it in how many pledges, and what became of that.

    What was pledged is locked, released or refunded; `disputed_amount` is what of the locked
    disputes hold, in `disputed_count` pledges that `locked_count` leaves out. `released_amount` is
    commission, fee and net together; `balance` is what of the net was not paid out yet.
    """

    project_id: int
    reference: str
    currency: str
    status: str
    commission_rate: Decimal
    fee_rate: Decimal
    fee_fixed: Decimal
    max_pledge: Decimal
    created_at: datetime
    closed_at: datetime | None
    escrow_count: int
    locked_count: int
    disputed_count: int
    pledged_amount: Decimal
    locked_amount: Decimal
    disputed_amount: Decimal
    released_amount: Decimal
    refunded_amount: Decimal
    commission_amount: Decimal
    fee_amount: Decimal
    net_amount: Decimal
    balance: Decimal
    credit_limit: Decimal
    frozen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Payout:
    """What a project can still pay out."""

    balance: Decimal
    transaction_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class Collection:
    """What is left of the platform's commission or fee."""

    currency: str
    balance: Decimal
    transaction_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class ReleaseBatch:
    """The sums over one batch of released escrows.

    An `escrow_count` of 0 means that no escrow was free to release.
    """

    escrow_count: int
    gross_amount: Decimal
    commission_amount: Decimal
    fee_amount: Decimal
    net_amount: Decimal
    last_escrow_id: int
    transaction_id: int | None
    replayed: bool


@dataclass(frozen=True, slots=True)
class RefundBatch:
    """The sum over one batch of refunded escrows.

    An `escrow_count` of 0 means that no escrow was free to refund.
    """

    escrow_count: int
    refunded_amount: Decimal
    last_escrow_id: int
    transaction_id: int | None
    replayed: bool
