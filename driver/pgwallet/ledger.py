"""Reading the ledger, checking that all is sound, and taking back what was a mistake."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from ._call import Count, Name
from ._function import database_function
from .results import (
    CurrencyMetrics,
    Event,
    LedgerMetrics,
    Reversal,
    SkippedIds,
    StatementRow,
    Transaction,
    Violation,
)


@database_function
def balance(account_id: int) -> Decimal:
    """What an account holds.

    Returns major units of the account's currency. A wallet, pocket or project id is also its
    account's id.
    Raises AccountNotFound.
    Calls pgwallet.balance.
    """


@database_function
def balance_at(account_id: int, at: datetime, by: str = "recorded") -> Decimal:
    """What an account held at a time.

    `at` is an aware datetime; `by` is recorded or effective: by when postings were recorded, or by
    when they happened, as far as is known today. Returns major units of the account's currency.
    Raises InvalidArgument, AccountNotFound.
    Calls pgwallet.balance_at.
    """


@database_function
def statement(
    account_id: int,
    after_posting_id: int = 0,
    limit: Count = 100,
    newest_first: bool = False,
    from_: datetime | None = None,
    until: datetime | None = None,
    by: str = "recorded",
) -> list[StatementRow]:
    """The postings of an account, oldest or newest first.

    Returns up to `limit` rows that were recorded at `from_` or later and before `until`; amounts
    are in major units, negative for money that left. Pass the last row's `posting_id` as
    `after_posting_id` for the next page, in either order. Where `by` is effective and not recorded,
    order, times and `balance` all go by when the postings happened. Who reads on, oldest first,
    misses none: of an account that keeps no balance it tells as far as none can come in between.
    Raises InvalidArgument, AccountNotFound.
    Calls pgwallet.statement.
    """


@database_function
def get_transaction(transaction_id: int) -> Transaction:
    """What one call did.

    Returns the `Transaction` with its amount in major units.
    Raises InvalidArgument (no transaction has this id).
    Calls pgwallet.get_transaction.
    """


@database_function
def find_transaction(idempotency_key: Name) -> Transaction | None:
    """The transaction that used an idempotency key first.

    Returns the `Transaction` with its amount in major units, or None where none did.
    Raises InvalidArgument.
    Calls pgwallet.find_transaction.
    """


@database_function
def reverse_transaction(
    transaction_id: int,
    idempotency_key: Name | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Reversal:
    """Take back a deposit, withdrawal, payout, allocation or transfer.

    For what the bank returns and for mistakes: each posting is made again the other way round.
    Returns the `Reversal` with what came back in major units.
    Raises InvalidArgument (also where no transaction has this id), IdempotencyConflict,
    AccountClosed, NotReversible (reversed already, or a kind that is undone another way),
    InsufficientFunds (spent meanwhile).
    Calls pgwallet.reverse_transaction.
    """


@database_function
def list_events(
    subject_id: int | None = None, after_event_id: int = 0, limit: Count = 100
) -> list[Event]:
    """What changed without moving money, and who changed it.

    Of one wallet, pocket, project, escrow or account; or of all, with settings, currencies and
    roles. Returns up to `limit` `Event`s in the order of their ids; pass the last one's `event_id`
    as `after_event_id` for the next page.
    Raises InvalidArgument.
    Calls pgwallet.list_events.
    """


@database_function
def check_ledger(since_transaction_id: int = 0) -> list[Violation]:
    """Look for broken invariants.

    Returns a `Violation` for each, and an empty list when the ledger is sound. A
    `since_transaction_id` above 0 saves time by looking only at what came after it.
    Calls pgwallet.check_ledger.
    """


@database_function
def skip_ids(margin: int = 100_000_000, dry_run: bool = False) -> list[SkippedIds]:
    """Move all ids ahead, after a restore or failover that lost commits.

    For the owner, on a database that was brought back to an earlier point, before anybody else
    calls: ids that were given out since then are not given to something else. `margin` is how many
    are skipped, from a million to a billion: more than were given out in the time that was lost.
    Returns a row for each sequence; with `dry_run` nothing moves. It stays done, whatever becomes
    of the transaction.
    Raises InvalidArgument.
    Calls pgwallet.skip_ids.
    """


@database_function
def record_check(
    since_transaction_id: int = 0, since_seal_id: int | None = None
) -> list[Violation]:
    """Look for broken invariants and seals that do not fit, and write down that somebody looked.

    Returns what `check_ledger` does, and a `Violation` for the seal that `check_seals` names: of
    those after `since_seal_id`, without it of those that cover what came since. Leaves an event
    behind with the time and how many were found, which `ledger_metrics` tells. Not on a standby
    server, which cannot write.
    Calls pgwallet.record_check.
    """


@database_function
def currency_metrics() -> list[CurrencyMetrics]:
    """What moved in each currency, where it is now, and what waits there.

    Returns sums of the whole ledger, in major units, and counts; of no single account or owner.
    Calls pgwallet.currency_metrics.
    """


@database_function
def ledger_metrics() -> LedgerMetrics:
    """When the ledger was last checked and sealed, and how much there is of it.

    Returns one `LedgerMetrics`.
    Calls pgwallet.ledger_metrics.
    """
