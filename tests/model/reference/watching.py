"""Metrics of the whole ledger, and the check that leaves an event behind."""

from collections import Counter
from collections.abc import Iterable

from pgwallet.results import CurrencyMetrics, LedgerMetrics, Violation

from .books import ANYTHING, Books
from .money import money
from .records import Movement


def record_check(
    books: Books, since_transaction_id: int = 0, since_seal_id: int | None = None
) -> list[Violation]:
    """Sound by construction; the event has the time in it."""
    books.note("record_check", None, None, None)
    return []


def ledger_metrics(books: Books) -> LedgerMetrics:
    """Ids that were drawn and undone count too, which the reference does not draw."""
    checked = any(event.kind == "record_check" for event in books.events)
    return LedgerMetrics(
        checked_at=ANYTHING,
        violation_count=0 if checked else None,
        sealed_at=ANYTHING,
        sealed_posting_id=ANYTHING,
        oldest_unsealed_at=ANYTHING,
        last_posting_id=ANYTHING,
        last_transaction_id=ANYTHING,
    )


def currency_metrics(books: Books) -> list[CurrencyMetrics]:
    """What is where is taken from the accounts, what moved from the movements."""
    return [
        _metrics(books, currency)
        for currency in sorted({each.source.currency for each in books.movements if _counts(each)})
    ]


def _counts(movement: Movement) -> bool:
    return "pocket" not in (movement.source.kind, movement.destination.kind)


def _metrics(books: Books, currency: str) -> CurrencyMetrics:
    moved: Counter[str] = Counter()
    for each in books.movements:
        if each.source.currency == currency and _counts(each):
            for name, sign in _names(books, each):
                moved[name] += sign * each.amount
    held: Counter[str] = Counter()
    for account in books.accounts.values():
        if account.currency == currency:
            held[account.kind] += account.balance
    escrows = [e for e in books.escrows.values() if e.wallet.currency == currency and e.left]
    disputed = [escrow for escrow in escrows if escrow.disputed]
    return CurrencyMetrics(
        currency=currency,
        deposited_amount=money(moved["deposit"], currency),
        withdrawn_amount=money(moved["withdrawal"], currency),
        pledged_amount=money(moved["pledge"], currency),
        released_amount=money(moved["release"], currency),
        refunded_amount=money(moved["refund"], currency),
        commission_amount=money(moved["commission"], currency),
        fee_amount=money(moved["fee"], currency),
        paid_out_amount=money(moved["payout"], currency),
        collected_amount=money(moved["collection"], currency),
        wallet_amount=money(held["wallet"] + held["pocket"], currency),
        locked_amount=money(held["escrow"], currency),
        disputed_amount=money(sum(escrow.left for escrow in disputed), currency),
        ready_amount=money(held["project"], currency),
        earned_amount=money(held["commission"] + held["fee"], currency),
        disputed_count=len(disputed),
        expired_count=ANYTHING,
        unsettled_count=len(
            {
                escrow.project.account.account_id
                for escrow in escrows
                if escrow.project.shown.status != "open" and not escrow.disputed
            }
        ),
        oldest_expired_at=ANYTHING,
        oldest_locked_at=ANYTHING,
    )


def _names(books: Books, movement: Movement) -> Iterable[tuple[str, int]]:
    """As what a movement counts, and which way."""
    kind, source, destination = (
        movement.transaction.kind,
        movement.source.kind,
        movement.destination.kind,
    )
    if kind == "pledge_change":
        yield "pledge", 1 if destination == "escrow" else -1
    elif kind in ("release", "release_refund"):
        sign = 1 if kind == "release" else -1
        yield "release", sign
        for earned in ("commission", "fee"):
            if earned in (source, destination):
                yield earned, sign
        if kind == "release_refund":
            yield "refund", 1
    elif kind == "reversal":
        yield books.transactions[movement.transaction.reversed_id or 0].kind, -1
    else:
        yield kind, 1
