"""Wallets, and money that comes in from outside or leaves."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from pgwallet.errors import AccountNotEmpty
from pgwallet.results import Deposit, DepositRow, Erasure, Withdrawal
from pgwallet.results import Wallet as WalletRow

from .books import (
    ANYTHING,
    Books,
    check_funds,
    check_key,
    check_leaving,
    check_open,
    check_text,
    elements,
)
from .money import check_amount, exponent_of, minor_units, money
from .reading import NO_TIME
from .records import Account, Pocket, Transaction, Wallet


def create_wallet(books: Books, owner_id: str | None, currency: str | None) -> WalletRow:
    check_text("owner_id", owner_id)
    exponent_of(currency)
    assert owner_id is not None
    assert currency is not None
    for wallet in books.wallets.values():
        if (wallet.owner_id, wallet.account.currency) == (owner_id, currency):
            break
    else:
        # All wallets of an owner share a slot, which is none of slot 0 for the owners drawn.
        slots = {wallet.owner_id: wallet.account.account_id for wallet in books.wallets.values()}
        slot = slots.get(owner_id, len(slots) + 1) % 1024
        wallet = Wallet(owner_id, books.open("wallet", currency, books.new_id(slot)))
        books.wallets[wallet.account.account_id] = wallet
        said = {"currency": currency, "owner_digest": ANYTHING}
        books.note("create_wallet", wallet.account.account_id, None, None, said)
    return shown_wallet(wallet)


def close_wallet(books: Books, wallet_id: int | None) -> WalletRow:
    wallet = books.wallets[books.find("wallet", wallet_id).account_id]
    pockets = [each.account for each in books.pockets.values() if each.wallet is wallet.account]
    locked = [each for each in books.escrows.values() if each.wallet is wallet.account]
    if wallet.account.balance or any(each.balance for each in pockets):
        raise AccountNotEmpty(f"wallet {wallet_id} or a pocket of it is not empty")
    if any(escrow.left for escrow in locked):
        raise AccountNotEmpty(f"wallet {wallet_id} has pledges")
    if not wallet.account.closed:
        wallet.account.closed = True
        for pocket in books.pockets.values():
            if pocket.wallet is wallet.account and not pocket.account.closed:
                close(books, pocket)
        books.note("close_wallet", wallet.account.account_id)
    return shown_wallet(wallet)


def close(books: Books, pocket: Pocket) -> None:
    """Its name and percentage are free."""
    books.note("close_pocket", pocket.account.account_id)
    pocket.account.closed = True
    pocket.percentage = Decimal(0)
    pocket.takes_rest = False


def shown_wallet(wallet: Wallet) -> WalletRow:
    account = wallet.account
    return WalletRow(
        wallet_id=account.account_id,
        owner_id=ANYTHING if wallet.is_erased else wallet.owner_id,
        currency=account.currency,
        balance=money(account.balance, account.currency),
        credit_limit=money(account.credit, account.currency),
        frozen_at=NO_TIME if account.frozen else None,
        closed_at=NO_TIME if account.closed else None,
    )


def deposit(
    books: Books,
    wallet_id: int | None,
    amount: Decimal,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Deposit:
    check_amount(amount)
    check_key(idempotency_key)
    wallet = books.find("wallet", wallet_id)
    units = minor_units(amount, wallet.currency)

    def do() -> Deposit:
        check_open(wallet)
        transaction = books.record("deposit", metadata, effective_at)
        return Deposit(
            _pay_in(books, transaction, wallet, units), transaction.transaction_id, False
        )

    return books.once(idempotency_key, ("deposit", wallet_id, units), do)


def withdraw(
    books: Books,
    wallet_id: int | None,
    amount: Decimal,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Withdrawal:
    check_amount(amount)
    check_key(idempotency_key)
    wallet = books.find("wallet", wallet_id)
    units = minor_units(amount, wallet.currency)

    def do() -> Withdrawal:
        check_leaving(wallet)
        check_funds(wallet, units, wallet.credit)
        transaction = books.record("withdrawal", metadata, effective_at)
        books.move(transaction, wallet, books.platform("external", wallet.currency), units)
        balance = money(wallet.balance, wallet.currency)
        return Withdrawal(balance, transaction.transaction_id, False)

    return books.once(idempotency_key, ("withdraw", wallet_id, units), do)


def deposit_many(
    books: Books,
    wallet_ids: list[int | None],
    amounts: list[Decimal | None],
    idempotency_keys: list[str | None] | None = None,
) -> list[DepositRow]:
    all_of = elements(wallet_ids, amounts, idempotency_keys)
    payments = all_of.in_wallets(books)
    requests = [("deposit_many", wallet.account_id, units) for wallet, units in payments]
    check_open(*(payments[place][0] for place in books.new_elements(all_of.keys, requests)))

    def do(wallet: Account, units: int) -> DepositRow:
        transaction = books.record("deposit")
        balance = _pay_in(books, transaction, wallet, units)
        return DepositRow(wallet.account_id, balance, transaction.transaction_id, False)

    return [
        books.once(key, request, partial(do, *payment))
        for key, request, payment in zip(all_of.keys, requests, payments, strict=True)
    ]


def erase_owner(books: Books, wallet_id: int | None) -> Erasure:
    account = books.find("wallet", wallet_id)
    wallet = books.wallets[account.account_id]
    pockets = [each.account for each in books.pockets.values() if each.wallet is account]
    escrows = [each.escrow_id for each in books.escrows.values() if each.wallet is account]
    its = [
        *(each.transaction for each in books.movements if each.source in (account, *pockets)),
        *(each.transaction for each in books.movements if each.destination in (account, *pockets)),
        *(each for each in books.transactions.values() if each.escrow_id in escrows),
    ]
    erased = {each.transaction_id: each for each in its if each.metadata is not None}
    for transaction in erased.values():
        transaction.metadata = None
    if not wallet.is_erased or erased:
        count = {"transaction_count": len(erased)}
        books.note("erase_owner", account.account_id, None, None, count)
    if not wallet.is_erased:
        wallet.is_erased = True
        wallet.owner_id = f"erased {wallet_id}"
    balance = money(account.balance, account.currency)
    return Erasure(account.account_id, ANYTHING, account.currency, len(erased), balance)


def _pay_in(books: Books, transaction: Transaction, wallet: Account, units: int) -> Decimal:
    books.move(transaction, books.platform("external", wallet.currency), wallet, units)
    return money(wallet.balance, wallet.currency)
