"""Pockets, and moving money in and out of them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from pgwallet.errors import AllocationExceeds100, InvalidArgument
from pgwallet.results import Pocket as PocketRow
from pgwallet.results import PocketClosing, PocketTransfer

from .books import SLOTS, Books, check_funds, check_key, check_open, check_text
from .money import check_amount, minor_units, money
from .records import Account, Pocket
from .wallets import close


def create_pocket(
    books: Books,
    wallet_id: int | None,
    name: str | None,
    allocation_percentage: Decimal | None,
    pocket_type: str | None = None,
    target_amount: Decimal | None = None,
    stop_at_target: bool | None = False,
    takes_rest: bool | None = False,
) -> PocketRow:
    if target_amount is not None:
        check_amount(target_amount)
    check_text("name", name)
    percentage = _percentage(allocation_percentage, takes_rest)
    if pocket_type is not None and len(pocket_type) > 200:
        raise InvalidArgument("pocket_type is too long")
    _check_stop(target_amount, stop_at_target)
    wallet = books.find("wallet", wallet_id)
    target = None if target_amount is None else minor_units(target_amount, wallet.currency)
    check_open(wallet)
    # Which names are taken is the wallet's to say, so it comes after what is asked of the wallet.
    for pocket in open_pockets(books, wallet):
        if pocket.name == name:
            is_now = (pocket.percentage, pocket.pocket_type, pocket.target_amount)
            rules = (pocket.stop_at_target, pocket.takes_rest)
            if (*is_now, *rules) != (percentage, pocket_type, target, stop_at_target, takes_rest):
                raise InvalidArgument(f"wallet {wallet_id} has another pocket {name}")
            return shown_pocket(pocket)
    _check_total(books, wallet, percentage)
    if takes_rest:
        _check_rest(books, wallet)
    assert name is not None
    account = books.open("pocket", wallet.currency, books.new_id(wallet.account_id % SLOTS))
    pocket = Pocket(
        account,
        wallet,
        name,
        percentage,
        pocket_type,
        target,
        bool(stop_at_target),
        bool(takes_rest),
    )
    books.pockets[account.account_id] = pocket
    books.note("create_pocket", account.account_id, None, None)
    return shown_pocket(pocket)


def rename_pocket(books: Books, pocket_id: int | None, name: str | None) -> PocketRow:
    check_text("name", name)
    pocket = books.pockets[books.find("pocket", pocket_id).account_id]
    check_open(pocket.account)
    assert name is not None
    if any(each.name == name for each in _others(books, pocket)):
        raise InvalidArgument(f"the wallet has another pocket {name}")
    if pocket.name != name:
        books.note("rename_pocket", pocket_id, None, {"name": pocket.name}, {"name": name})
    pocket.name = name
    return shown_pocket(pocket)


def set_allocation(
    books: Books,
    pocket_id: int | None,
    allocation_percentage: Decimal | None,
    takes_rest: bool | None = False,
) -> PocketRow:
    percentage = _percentage(allocation_percentage, takes_rest)
    pocket = books.pockets[books.find("pocket", pocket_id).account_id]
    check_open(pocket.account)
    _check_total(books, pocket.wallet, percentage - pocket.percentage)
    if takes_rest:
        _check_rest(books, pocket.wallet, pocket)
    if (pocket.percentage, pocket.takes_rest) != (percentage, takes_rest):
        books.note("set_allocation", pocket_id)
    pocket.percentage, pocket.takes_rest = percentage, bool(takes_rest)
    return shown_pocket(pocket)


def set_target(
    books: Books,
    pocket_id: int | None,
    target_amount: Decimal | None,
    stop_at_target: bool | None = False,
) -> PocketRow:
    if target_amount is not None:
        check_amount(target_amount)
    _check_stop(target_amount, stop_at_target)
    pocket = books.pockets[books.find("pocket", pocket_id).account_id]
    currency = pocket.wallet.currency
    target = None if target_amount is None else minor_units(target_amount, currency)
    check_open(pocket.account)
    if (pocket.target_amount, pocket.stop_at_target) != (target, stop_at_target):
        books.note("set_target", pocket_id)
    pocket.target_amount, pocket.stop_at_target = target, bool(stop_at_target)
    return shown_pocket(pocket)


def transfer_to_pocket(
    books: Books,
    pocket_id: int | None,
    amount: Decimal,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> PocketTransfer:
    return _transfer(
        books, "transfer_to_pocket", pocket_id, amount, idempotency_key, metadata, effective_at
    )


def transfer_from_pocket(
    books: Books,
    pocket_id: int | None,
    amount: Decimal,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> PocketTransfer:
    return _transfer(
        books, "transfer_from_pocket", pocket_id, amount, idempotency_key, metadata, effective_at
    )


def close_pocket(
    books: Books,
    pocket_id: int | None,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> PocketClosing:
    check_key(idempotency_key)
    pocket = books.pockets[books.find("pocket", pocket_id).account_id]

    def do() -> PocketClosing:
        check_open(pocket.account)
        units, currency = pocket.account.balance, pocket.wallet.currency
        transaction = books.record("pocket_closing", metadata, effective_at)
        books.move(transaction, pocket.account, pocket.wallet, units)
        close(books, pocket)
        return PocketClosing(
            pocket_id=pocket.account.account_id,
            wallet_id=pocket.wallet.account_id,
            amount=money(units, currency),
            wallet_balance=money(pocket.wallet.balance, currency),
            transaction_id=transaction.transaction_id,
            replayed=False,
        )

    return books.once(idempotency_key, ("close_pocket", pocket_id), do)


def _percentage(percentage: Decimal | None, takes_rest: bool | None) -> Decimal:
    if percentage is None or not percentage.is_finite() or not 0 <= percentage <= 100:
        raise InvalidArgument(f"{percentage} is not a percentage")
    if percentage * 10**4 % 1:
        raise InvalidArgument(f"{percentage} has more than four decimals")
    if takes_rest is None or (takes_rest and percentage):
        raise InvalidArgument("what takes the rest has no percentage")
    return percentage


def _check_stop(target_amount: Decimal | None, stop_at_target: bool | None) -> None:
    if stop_at_target is None or (stop_at_target and target_amount is None):
        raise InvalidArgument("there is no target to stop at")


def _check_rest(books: Books, wallet: Account, but: Pocket | None = None) -> None:
    if any(each.takes_rest and each is not but for each in open_pockets(books, wallet)):
        raise InvalidArgument("another pocket takes the rest")


def _others(books: Books, pocket: Pocket) -> list[Pocket]:
    return [each for each in open_pockets(books, pocket.wallet) if each is not pocket]


def open_pockets(books: Books, wallet: Account) -> list[Pocket]:
    """The open ones."""
    return [
        pocket
        for pocket in books.pockets.values()
        if pocket.wallet is wallet and not pocket.account.closed
    ]


def _check_total(books: Books, wallet: Account, change: Decimal) -> None:
    total = sum((pocket.percentage for pocket in open_pockets(books, wallet)), change)
    if total > 100:
        raise AllocationExceeds100(f"the pockets of wallet {wallet.account_id} would pass 100")


def _transfer(
    books: Books,
    kind: str,
    pocket_id: int | None,
    amount: Decimal,
    key: str | None,
    metadata: Any,
    effective_at: datetime | None,
) -> PocketTransfer:
    check_amount(amount)
    check_key(key)
    pocket = books.pockets[books.find("pocket", pocket_id).account_id]
    units = minor_units(amount, pocket.wallet.currency)

    def do() -> PocketTransfer:
        source, destination = pocket.wallet, pocket.account
        if kind == "transfer_from_pocket":
            source, destination = destination, source
        check_open(pocket.account)
        check_funds(source, units)
        transaction = books.record(kind, metadata, effective_at)
        books.move(transaction, source, destination, units)
        return PocketTransfer(
            money(pocket.account.balance, source.currency),
            money(pocket.wallet.balance, source.currency),
            transaction.transaction_id,
            False,
        )

    return books.once(key, (kind, pocket_id, units), do)


def shown_pocket(pocket: Pocket) -> PocketRow:
    currency, target = pocket.wallet.currency, pocket.target_amount
    return PocketRow(
        pocket_id=pocket.account.account_id,
        wallet_id=pocket.wallet.account_id,
        name=pocket.name,
        allocation_percentage=pocket.percentage,
        balance=money(pocket.account.balance, currency),
        pocket_type=pocket.pocket_type,
        target_amount=None if target is None else money(target, currency),
        stop_at_target=pocket.stop_at_target,
        takes_rest=pocket.takes_rest,
        lacking_amount=(
            None if target is None else money(max(0, target - pocket.account.balance), currency)
        ),
    )
