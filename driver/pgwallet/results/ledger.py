"""What the functions of the ledger return: transactions, history, checks and metrics."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Reversal:
    """What was taken back: `kind` is that of the reversed transaction, `amount` what it moved."""

    reversed_transaction_id: int
    kind: str
    amount: Decimal
    currency: str
    transaction_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class Transaction:
    """What one call did: `amount` is what its postings moved, all together.

    `currency` and `amount` are None where it moved nothing, or moved several currencies.
    `effective_at` is `created_at` unless the caller said otherwise. `reversed_transaction_id` is
    what it took back, if it is a reversal, and `reversed_by` which reversal took it back.
    """

    transaction_id: int
    kind: str
    escrow_id: int | None
    idempotency_key: str | None
    metadata: Any
    created_at: datetime
    effective_at: datetime
    posting_count: int
    currency: str | None
    amount: Decimal | None
    reversed_transaction_id: int | None
    reversed_by: int | None


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One posting as an account sees it.

    `amount` is negative for money that left. `balance` is the account's after the posting,
    None for accounts that keep none. `metadata` is what the caller gave as JSON. Of a reversal,
    `reversed_transaction_id` is what it took back.
    """

    posting_id: int
    transaction_id: int
    kind: str
    amount: Decimal
    balance: Decimal | None
    counterpart_id: int
    escrow_id: int | None
    created_at: datetime
    effective_at: datetime
    metadata: Any
    reversed_transaction_id: int | None


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One movement of money from an account to another, with what the call said.

    `kind` says what the call did; `escrow_id` is the escrow that it concerns, None for others and
    for batches, of which `list_settled_escrows` tells. `effective_at` is when it happened outside.
    """

    posting_id: int
    transaction_id: int
    kind: str
    source_account_id: int
    destination_account_id: int
    amount: Decimal
    currency: str
    escrow_id: int | None
    idempotency_key: str | None
    metadata: Any
    created_at: datetime
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """What changed without moving money: `kind` says what, `changed_by` who.

    `subject_id` is the wallet, pocket, project, escrow or account; None for settings, currencies
    and roles. `before` and `after` have what changed, as JSON; `before` is None for something new.
    """

    event_id: int
    subject_id: int | None
    kind: str
    changed_by: str
    created_at: datetime
    reason: str | None
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken invariant: its number, of what, and the figures."""

    invariant: int
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class SkippedIds:
    """What a sequence of ids would have given out next, and what it gives out now."""

    sequence_name: str
    next_before: int
    next_after: int


@dataclass(frozen=True, slots=True)
class CurrencyMetrics:
    """What moved in a currency since the ledger began, where it is now, and what waits there.

    `wallet_amount` is in wallets and pockets, `ready_amount` is what projects could be paid out,
    `earned_amount` what commission and fee still hold. `unsettled_count` is how many projects have
    ended and hold locked escrows; of expired escrows, no more than 1,000 are counted.
    """

    currency: str
    deposited_amount: Decimal
    withdrawn_amount: Decimal
    pledged_amount: Decimal
    released_amount: Decimal
    refunded_amount: Decimal
    commission_amount: Decimal
    fee_amount: Decimal
    paid_out_amount: Decimal
    collected_amount: Decimal
    wallet_amount: Decimal
    locked_amount: Decimal
    disputed_amount: Decimal
    ready_amount: Decimal
    earned_amount: Decimal
    disputed_count: int
    expired_count: int
    unsettled_count: int
    oldest_expired_at: datetime | None
    oldest_locked_at: datetime | None


@dataclass(frozen=True, slots=True)
class LedgerMetrics:
    """When the ledger was last checked and sealed, and how much there is of it.

    `checked_at` is when `record_check` last looked at all of it, `violation_count` the most that it
    found since then, also where it looked at a part. `oldest_unsealed_at` is when the first
    transaction was recorded that no seal covers yet. The last ids also count what was undone.
    """

    checked_at: datetime | None
    violation_count: int | None
    sealed_at: datetime | None
    sealed_posting_id: int | None
    oldest_unsealed_at: datetime | None
    last_posting_id: int
    last_transaction_id: int
