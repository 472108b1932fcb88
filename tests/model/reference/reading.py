"""Balances now and then, statements, and the check that all is sound."""

from datetime import UTC, datetime
from decimal import Decimal

from pgwallet.errors import InvalidArgument
from pgwallet.results import Event, StatementRow, Violation

from .books import ANYTHING, Books, check_limit
from .money import money

# Stands for when something was recorded: the reference has no clock.
NO_TIME = datetime.min.replace(tzinfo=UTC)


def balance(books: Books, account_id: int | None) -> Decimal:
    account = books.find_any(account_id)
    return money(account.balance, account.currency)


def balance_at(books: Books, account_id: int | None, at: int | None) -> Decimal:
    """`at` counts postings: the reference ledger has no clock."""
    if at is None:
        raise InvalidArgument("the time is null")
    account = books.find_any(account_id)
    units = sum(
        movement.amount * ((movement.destination is account) - (movement.source is account))
        for movement in books.movements[:at]
    )
    return money(units, account.currency)


def statement(
    books: Books,
    account_id: int | None,
    after_posting_id: int = 0,
    limit: int | None = 100,
    newest_first: bool = False,
    from_: int | None = None,
    until: int | None = None,
) -> list[StatementRow]:
    """`from_` and `until` count postings, as `at` does."""
    check_limit(limit)
    account = books.find_any(account_id)
    rows = []
    movements = books.movements[from_:until]
    for movement in reversed(movements) if newest_first else movements:
        incoming = movement.destination is account
        if not (incoming or movement.source is account):
            continue
        if newest_first and 0 < after_posting_id <= movement.posting_id:
            continue
        if not newest_first and movement.posting_id <= after_posting_id:
            continue
        other = movement.source if incoming else movement.destination
        after = movement.destination_balance if incoming else movement.source_balance
        amount = movement.amount if incoming else -movement.amount
        rows.append(
            StatementRow(
                posting_id=movement.posting_id,
                transaction_id=movement.transaction.transaction_id,
                kind=movement.transaction.kind,
                amount=money(amount, account.currency),
                balance=None if after is None else money(after, account.currency),
                counterpart_id=other.account_id,
                escrow_id=movement.transaction.escrow_id,
                created_at=NO_TIME,
                effective_at=movement.transaction.effective_at or NO_TIME,
                metadata=movement.transaction.metadata,
                reversed_transaction_id=movement.transaction.reversed_id,
            )
        )
    return rows[:limit]


def list_events(
    books: Books, subject_id: int | None = None, after_event_id: int = 0, limit: int | None = 100
) -> list[Event]:
    check_limit(limit)
    found = [
        Event(
            each.event_id,
            each.subject_id,
            each.kind,
            ANYTHING,
            NO_TIME,
            each.reason,
            each.before,
            each.after,
        )
        for each in books.events
        if subject_id in (None, each.subject_id) and each.event_id > after_event_id
    ]
    return found[:limit]


def check_ledger(books: Books, since_transaction_id: int = 0) -> list[Violation]:
    """Sound by construction."""
    return []
