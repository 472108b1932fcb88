"""Transfers between two wallets, or two pockets of one."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from pgwallet.errors import (
    AccountClosed,
    AccountFrozen,
    AccountNotFound,
    CurrencyMismatch,
    InvalidArgument,
)
from pgwallet.results import Transfer

from .books import Books, check_funds, check_key
from .money import check_amount, minor_units, money
from .records import Account


def transfer(
    books: Books,
    from_account_id: int | None,
    to_account_id: int | None,
    amount: Decimal,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Transfer:
    check_amount(amount)
    check_key(idempotency_key)
    if from_account_id == to_account_id is not None:
        raise InvalidArgument(f"account {from_account_id} would pay itself")
    source, target = _side(books, from_account_id), _side(books, to_account_id)
    units = minor_units(amount, source.currency)

    def do() -> Transfer:
        wallets = [
            books.pockets[each.account_id].wallet if each.kind == "pocket" else None
            for each in (source, target)
        ]
        if wallets[0] is not wallets[1]:
            raise InvalidArgument(f"{source} cannot pay {target}")
        if source.currency != target.currency:
            raise CurrencyMismatch(f"{source.currency} is not {target.currency}")
        if source.closed or target.closed:
            raise AccountClosed(f"{source} or {target} is closed")
        if source.frozen:
            raise AccountFrozen(f"{source} is frozen")
        check_funds(source, units, source.credit)
        transaction = books.record("transfer", metadata, effective_at)
        books.move(transaction, source, target, units)
        return Transfer(
            money(source.balance, source.currency),
            money(target.balance, source.currency),
            transaction.transaction_id,
            False,
        )

    return books.once(idempotency_key, ("transfer", from_account_id, to_account_id, units), do)


def _side(books: Books, account_id: int | None) -> Account:
    account = books.accounts.get(account_id or 0)
    if account is None or account.kind not in ("wallet", "pocket"):
        raise AccountNotFound(f"there is no wallet or pocket {account_id}")
    return account
