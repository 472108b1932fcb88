"""Freezing wallets and projects, and giving them credit."""

from decimal import Decimal

from pgwallet.errors import AccountNotFound, InsufficientFunds
from pgwallet.results import CreditLimit, Freeze

from .books import Books, check_open, check_text
from .money import check_amount, minor_units, money
from .reading import NO_TIME
from .records import Account


def freeze_account(books: Books, account_id: int | None, reason: str | None) -> Freeze:
    return _set_frozen(books, account_id, True, reason)


def unfreeze_account(books: Books, account_id: int | None, reason: str | None) -> Freeze:
    return _set_frozen(books, account_id, False, reason)


def set_credit_limit(
    books: Books, account_id: int | None, credit_limit: Decimal | None
) -> CreditLimit:
    if credit_limit is None or credit_limit != 0:
        check_amount(credit_limit)
    assert credit_limit is not None
    account = _holder(books, account_id)
    units = minor_units(credit_limit, account.currency)
    check_open(account)
    if account.balance < -units:
        raise InsufficientFunds(f"it owes {-account.balance}, more than {units}")
    if account.credit != units:
        account.credit = units
        books.note("set_credit_limit", account.account_id)
    return CreditLimit(
        account_id=account.account_id,
        credit_limit=money(units, account.currency),
        balance=money(account.balance, account.currency),
    )


def _set_frozen(books: Books, account_id: int | None, frozen: bool, reason: str | None) -> Freeze:
    check_text("reason", reason)
    account = _holder(books, account_id)
    if account.frozen != frozen:
        account.frozen = frozen
        kind = "freeze_account" if frozen else "unfreeze_account"
        books.note(kind, account.account_id, reason)
    return Freeze(account.account_id, frozen, NO_TIME if frozen else None)


def _holder(books: Books, account_id: int | None) -> Account:
    account = books.find_any(account_id)
    if account.kind not in ("wallet", "project"):
        raise AccountNotFound(f"account {account_id} is neither a wallet nor a project")
    return account
