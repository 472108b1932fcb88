"""Balances now and then, statements, and the check that all is sound."""

from datetime import UTC, datetime
from decimal import Decimal
from math import inf

from pgwallet.errors import InvalidArgument
from pgwallet.results import Event, Seal, StatementRow, Violation, WrongSeal

from .books import ANYTHING, Books, check_limit
from .money import money
from .records import Movement

Moment = tuple[float, float]

# Stands for when something was recorded: the reference has no clock.
NO_TIME = datetime.min.replace(tzinfo=UTC)


def balance(books: Books, account_id: int | None) -> Decimal:
    account = books.find_any(account_id)
    return money(account.balance, account.currency)


def balance_at(
    books: Books, account_id: int | None, at: int | None, by: str | None = "recorded"
) -> Decimal:
    """`at` counts postings: the reference ledger has no clock."""
    if at is None:
        raise InvalidArgument("the time is null")
    _check_by(by)
    account = books.find_any(account_id)
    units = sum(
        movement.amount * ((movement.destination is account) - (movement.source is account))
        for moment, movement in _in_order(books, by)
        if moment < (at, 0.0)
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
    by: str | None = "recorded",
) -> list[StatementRow]:
    """`from_` and `until` count postings, as `at` does."""
    check_limit(limit)
    _check_by(by)
    account = books.find_any(account_id)
    own = [
        each for each in _in_order(books, by) if account in (each[1].source, each[1].destination)
    ]
    ids = [movement.posting_id for _, movement in own]
    if by == "effective" and after_posting_id and after_posting_id not in ids:
        raise InvalidArgument("not a posting of this account")
    rows = []
    total = 0
    for place, (moment, movement) in enumerate(own):
        incoming = movement.destination is account
        other = movement.source if incoming else movement.destination
        after = movement.destination_balance if incoming else movement.source_balance
        amount = movement.amount if incoming else -movement.amount
        total += amount
        if by == "effective":
            after = total if account.keeps_balance else None
            seen = ids.index(after_posting_id) - place if after_posting_id else None
        else:
            seen = after_posting_id - movement.posting_id if after_posting_id else None
        if seen is not None and (seen <= 0 if newest_first else seen >= 0):
            continue
        if from_ is not None and moment < (from_, 0.0):
            continue
        if until is not None and moment >= (until, 0.0):
            continue
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
    return (rows[::-1] if newest_first else rows)[:limit]


def _check_by(by: str | None) -> None:
    if by not in ("recorded", "effective"):
        raise InvalidArgument("by is unknown")


def _in_order(books: Books, by: str | None) -> list[tuple[Moment, Movement]]:
    """Each movement with when it happened: after how many others, the far past or future aside."""

    def moment(place: int, movement: Movement) -> Moment:
        effective_at = movement.transaction.effective_at
        if by == "recorded" or effective_at is None:
            return (place, 0.0)
        return (inf if effective_at > datetime.now(UTC) else -inf, effective_at.timestamp())

    found = [(moment(place, each), each) for place, each in enumerate(books.movements)]
    return sorted(found, key=lambda each: (each[0], each[1].posting_id))


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


def check_seals(
    books: Books, since_seal_id: int = 0, until_seal_id: int | None = None
) -> WrongSeal | None:
    """Nothing is sealed in a transaction that has written, so no seal that is named is there."""
    missing = since_seal_id or until_seal_id
    return WrongSeal(missing, None, ANYTHING) if missing else None


def list_seals(
    books: Books, after_seal_id: int = 0, limit: int | None = 100, newest_first: bool = False
) -> list[Seal]:
    check_limit(limit)
    return []


def check_ledger(books: Books, since_transaction_id: int = 0) -> list[Violation]:
    """Sound by construction."""
    return []
