"""Taking back what a transaction moved."""

from datetime import datetime
from typing import Any

from pgwallet.errors import AccountClosed, InvalidArgument, NotReversible
from pgwallet.results import Reversal

from .books import Books, check_all_funds, check_key
from .money import money
from .records import Account, Movement

REVERSIBLE = (
    *("deposit", "withdrawal", "payout", "allocation"),
    *("transfer", "transfer_to_pocket", "transfer_from_pocket"),
)


def reverse_transaction(
    books: Books,
    transaction_id: int | None,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Reversal:
    check_key(idempotency_key)
    if transaction_id not in books.transactions:
        raise InvalidArgument(f"there is no transaction {transaction_id}")
    mistake = books.transactions[transaction_id]
    moved = [each for each in books.movements if each.transaction is mistake]

    def do() -> Reversal:
        if any(account.closed for account in _accounts(books, moved)):
            raise AccountClosed(f"an account of {mistake} is closed")
        if mistake.kind not in REVERSIBLE or mistake.reversal_id or not moved:
            raise NotReversible(f"{mistake} cannot be taken back")
        check_all_funds(
            ((each.destination, each.amount) for each in moved if each.destination.keeps_balance),
            on_credit=mistake.kind != "transfer_from_pocket",
        )
        reversal = books.record("reversal", metadata, effective_at)
        reversal.reversed_id = mistake.transaction_id
        mistake.reversal_id = reversal.transaction_id
        for each in moved:
            books.move(reversal, each.destination, each.source, each.amount)
        currency = moved[0].source.currency
        return Reversal(
            mistake.transaction_id,
            mistake.kind,
            money(sum(each.amount for each in moved), currency),
            currency,
            reversal.transaction_id,
            False,
        )

    return books.once(idempotency_key, ("reverse_transaction", transaction_id), do)


def _accounts(books: Books, moved: list[Movement]) -> list[Account]:
    """All that took part, and the wallets of pockets that did."""
    sides = [side for each in moved for side in (each.source, each.destination)]
    return sides + [
        books.pockets[side.account_id].wallet for side in sides if side.kind == "pocket"
    ]
