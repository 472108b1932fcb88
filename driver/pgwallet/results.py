"""What the functions return: one frozen dataclass for each kind of row.

Fields have the names and the order of the SQL columns. Amounts and balances are `Decimal`
in major units with exactly the currency's decimals. `transaction_id` names what the call
recorded in the ledger; `replayed` is true when an earlier call had used the idempotency key,
and the figures are those of that call.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency: how many decimals its amounts have, and the accounts that it has by itself."""

    currency: str
    exponent: int
    name: str
    external_account_id: int
    commission_account_id: int
    fee_account_id: int


@dataclass(frozen=True, slots=True)
class Wallet:
    """A wallet and what it holds outside its pockets; below 0 is what it owes."""

    wallet_id: int
    owner_id: str
    currency: str
    balance: Decimal
    credit_limit: Decimal
    frozen_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Freeze:
    """Whether nothing may leave an account, and since when."""

    account_id: int
    frozen: bool
    frozen_at: datetime | None


@dataclass(frozen=True, slots=True)
class CreditLimit:
    """How far below 0 the balance of an account may go, and where it is."""

    account_id: int
    credit_limit: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True)
class Erasure:
    """A wallet under its made-up owner, and of how many transactions metadata were erased."""

    wallet_id: int
    owner_id: str
    currency: str
    transaction_count: int
    balance: Decimal


@dataclass(frozen=True, slots=True)
class Pocket:
    """A pocket, its share of what is allocated and what it holds.

    `lacking_amount` is what it lacks of its target, None without one. With `stop_at_target` no
    allocation gives it more than that; with `takes_rest` it receives what the others leave.
    """

    pocket_id: int
    wallet_id: int
    name: str
    allocation_percentage: Decimal
    balance: Decimal
    pocket_type: str | None
    target_amount: Decimal | None
    stop_at_target: bool
    takes_rest: bool
    lacking_amount: Decimal | None


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
class Deposit:
    """The wallet's balance after money came in."""

    balance: Decimal
    transaction_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The wallet's balance after money left."""

    balance: Decimal
    transaction_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class Transfer:
    """The balances of the account that paid and of the one that received."""

    from_balance: Decimal
    to_balance: Decimal
    transaction_id: int
    replayed: bool


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
class DepositRow:
    """One deposit of `deposit_many`."""

    wallet_id: int
    balance: Decimal
    transaction_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class PocketTransfer:
    """The balances of the pocket and of its wallet after a transfer between them."""

    balance: Decimal
    wallet_balance: Decimal
    transaction_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class PocketClosing:
    """What a closed pocket gave back to its wallet, and the wallet's balance after that."""

    pocket_id: int
    wallet_id: int
    amount: Decimal
    wallet_balance: Decimal
    transaction_id: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class Share:
    """What one pocket gets of an allocation; `balance` is the pocket's."""

    pocket_id: int
    name: str
    allocation_percentage: Decimal
    amount: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True)
class Allocation:
    """An amount split over pockets.

    `shares` come largest percentage first, then lowest pocket id. `allocated` is their sum
    and `remaining` the part of the amount that stays in the wallet. `transaction_id` is None
    in a preview.
    """

    shares: tuple[Share, ...]
    allocated: Decimal
    remaining: Decimal
    transaction_id: int | None
    replayed: bool


@dataclass(frozen=True, slots=True)
class ShareRow:
    """What one pocket got in `allocate_deposits`; `balance` is the pocket's.

    Where no pocket of a wallet got anything, one row has an `amount` of 0 and no pocket.
    """

    wallet_id: int
    pocket_id: int | None
    name: str | None
    allocation_percentage: Decimal | None
    amount: Decimal
    balance: Decimal | None
    transaction_id: int
    replayed: bool


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
class Seal:
    """What the history was, up to these ids of transactions, postings and events.

    Nothing that was recorded up to `sealed_at` comes later. `digest` is a SHA-256 in 64 hexadecimal
    digits.
    """

    seal_id: int
    sealed_at: datetime
    transaction_id: int
    posting_id: int
    event_id: int
    digest: str


@dataclass(frozen=True, slots=True)
class NewSeal(Seal):
    """A seal that was just made; `has_more` where more than its limit was there to seal."""

    has_more: bool


@dataclass(frozen=True, slots=True)
class WrongSeal:
    """The first seal that does not fit, and why; `covers` are the ids, None where it is missing."""

    seal_id: int
    covers: str | None
    detail: str


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
