"""Splitting amounts over the pockets of a wallet."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from pgwallet.errors import InvalidArgument
from pgwallet.results import Allocation, Share, ShareRow

from .books import Books, check_all_funds, check_funds, check_key, check_open, elements
from .money import SHARES, check_amount, minor_units, money
from .pockets import open_pockets
from .records import Account, Pocket


def preview_allocation(
    books: Books, wallet_id: int | None, amount: Decimal, rounding: str | None
) -> Allocation:
    check_amount(amount)
    _check_rounding(rounding)
    wallet = books.find("wallet", wallet_id)
    units = minor_units(amount, wallet.currency)
    shares = _shares(books, wallet, units, rounding)
    _warn(books, [wallet])
    shown = [
        _share(pocket, share, money(pocket.account.balance + share, wallet.currency))
        for pocket, share in shares
    ]
    return _allocation(shown, amount, None)


def allocate_deposit(
    books: Books,
    wallet_id: int | None,
    amount: Decimal,
    rounding: str | None,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Allocation:
    check_amount(amount)
    check_key(idempotency_key)
    _check_rounding(rounding)
    wallet = books.find("wallet", wallet_id)
    units = minor_units(amount, wallet.currency)

    def do() -> Allocation:
        check_open(wallet)
        shares = _shares(books, wallet, units, rounding)
        check_funds(wallet, sum(share for _, share in shares))
        _warn(books, [wallet])
        transaction = books.record("allocation", metadata, effective_at)
        shown = []
        for pocket, share in shares:
            books.move(transaction, wallet, pocket.account, share)
            shown.append(_share(pocket, share, money(pocket.account.balance, wallet.currency)))
        return _allocation(shown, amount, transaction.transaction_id)

    return books.once(idempotency_key, ("allocate_deposit", wallet_id, units, rounding), do)


def allocate_deposits(
    books: Books,
    wallet_ids: list[int | None],
    amounts: list[Decimal | None],
    rounding: str | None,
    idempotency_keys: list[str | None] | None = None,
) -> list[ShareRow]:
    all_of = elements(wallet_ids, amounts, idempotency_keys)
    _check_rounding(rounding)
    payments = all_of.in_wallets(books)
    requests = [("allocate_deposits", w.account_id, units, rounding) for w, units in payments]
    new = [payments[place] for place in books.new_elements(all_of.keys, requests)]
    check_open(*(wallet for wallet, _ in new))
    check_all_funds(_shares_in_turn(books, new, rounding))
    _warn(books, [wallet for wallet, _ in new])

    def do(wallet: Account, units: int) -> list[ShareRow]:
        transaction = books.record("allocation")
        rows = []
        for pocket, share in _shares(books, wallet, units, rounding):
            books.move(transaction, wallet, pocket.account, share)
            rows.append(
                ShareRow(
                    wallet_id=wallet.account_id,
                    pocket_id=pocket.account.account_id,
                    name=pocket.name,
                    allocation_percentage=pocket.percentage,
                    amount=money(share, wallet.currency),
                    balance=money(pocket.account.balance, wallet.currency),
                    transaction_id=transaction.transaction_id,
                    replayed=False,
                )
            )
        # No pocket received anything.
        empty = ShareRow(
            wallet_id=wallet.account_id,
            pocket_id=None,
            name=None,
            allocation_percentage=None,
            amount=money(0, wallet.currency),
            balance=None,
            transaction_id=transaction.transaction_id,
            replayed=False,
        )
        return rows or [empty]

    return [
        row
        for key, request, payment in zip(all_of.keys, requests, payments, strict=True)
        for row in books.once(key, request, partial(do, *payment))
    ]


def _check_rounding(rounding: str | None) -> None:
    if rounding not in SHARES:
        raise InvalidArgument(f"rounding {rounding} is unknown")


def _taking_part(books: Books, wallet: Account) -> list[Pocket]:
    """Largest percentage first, then lowest id."""
    pockets = [pocket for pocket in open_pockets(books, wallet) if pocket.percentage > 0]
    return sorted(pockets, key=lambda pocket: (-pocket.percentage, pocket.account.account_id))


def _warn(books: Books, wallets: list[Account]) -> None:
    most = books.settings.max_pockets_per_allocation
    for wallet in {wallet.account_id: wallet for wallet in wallets}.values():
        books.left_out += max(0, len(_taking_part(books, wallet)) - most)


def _shares(
    books: Books,
    wallet: Account,
    units: int,
    rounding: str | None,
    holds: Mapping[int, int] | None = None,
) -> list[tuple[Pocket, int]]:
    """What each pocket gets; `holds` is what pockets hold by then, if that is not what is there."""
    pockets = _taking_part(books, wallet)[: books.settings.max_pockets_per_allocation]
    percentages = [pocket.percentage for pocket in pockets]
    rest = [pocket for pocket in open_pockets(books, wallet) if pocket.takes_rest]
    most = [_room(pocket, holds or {}) for pocket in pockets + rest]
    shares = SHARES[rounding or ""](units, percentages, most)
    if rest:
        left = units - sum(shares)
        shares.append(left if most[-1] is None else min(left, most[-1]))
    return [(pocket, share) for pocket, share in zip(pockets + rest, shares, strict=True) if share]


def _room(pocket: Pocket, holds: Mapping[int, int]) -> int | None:
    """What a pocket lacks of the target it stops at; None where it does not."""
    if not pocket.stop_at_target or pocket.target_amount is None:
        return None
    account = pocket.account
    return max(0, pocket.target_amount - holds.get(account.account_id, account.balance))


def _shares_in_turn(
    books: Books, payments: list[tuple[Account, int]], rounding: str | None
) -> Iterator[tuple[Account, int]]:
    """What leaves each wallet, where a pocket holds by then what it got before."""
    holds: dict[int, int] = {}
    for wallet, units in payments:
        for pocket, share in _shares(books, wallet, units, rounding, holds):
            account = pocket.account
            holds[account.account_id] = holds.get(account.account_id, account.balance) + share
            yield wallet, share


def _share(pocket: Pocket, share: int, balance: Decimal) -> Share:
    amount = money(share, pocket.account.currency)
    return Share(pocket.account.account_id, pocket.name, pocket.percentage, amount, balance)


def _allocation(shares: list[Share], amount: Decimal, transaction_id: int | None) -> Allocation:
    allocated = sum((share.amount for share in shares), Decimal(0))
    return Allocation(tuple(shares), allocated, amount - allocated, transaction_id, False)
