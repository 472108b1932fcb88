"""Wallets: opening them, and money that comes in from outside or leaves."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from ._call import Count, Name
from ._function import database_function
from .results import Currency, Deposit, DepositRow, Erasure, Transfer, Wallet, Withdrawal


@database_function
def create_currency(currency: str, exponent: Count, name: str) -> Currency:
    """Add a currency, or find the one that is there.

    For points, tokens and the like: a code of 2 to 12 capital letters and digits, `exponent`
    decimals from 0 to 18, which never change, and a name. The same arguments again return it. For
    the owner of the schema alone. Returns the `Currency`.
    Raises InvalidArgument (also for a code that another currency has).
    Calls pgwallet.create_currency.
    """


@database_function
def create_wallet(owner_id: Name, currency: str = "EUR") -> Wallet:
    """Open an owner's wallet, or find the one that is there.

    An owner has one in each currency, which is a code of ISO 4217 or one that was created; one that
    was closed is returned as it is. Returns the `Wallet`, with what it holds in major units.
    Raises InvalidArgument, CurrencyMismatch (unknown currency).
    Calls pgwallet.create_wallet.
    """


@database_function
def deposit(
    wallet_id: int,
    amount: Decimal | int,
    idempotency_key: Name | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Deposit:
    """Put money from outside into a wallet.

    `amount` is in major units of the wallet's currency. Returns the `Deposit` with the
    wallet's balance after it.
    Raises InvalidAmount, InvalidArgument, WalletNotFound, IdempotencyConflict, AccountClosed.
    Calls pgwallet.deposit.
    """


@database_function
def withdraw(
    wallet_id: int,
    amount: Decimal | int,
    idempotency_key: Name | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Withdrawal:
    """Take money out of a wallet, to the outside.

    `amount` is in major units of the wallet's currency. Returns the `Withdrawal` with the
    wallet's balance after it.
    Raises InvalidAmount, InvalidArgument, WalletNotFound, IdempotencyConflict,
    InsufficientFunds, AccountFrozen, AccountClosed.
    Calls pgwallet.withdraw.
    """


@database_function
def transfer(
    from_account_id: int,
    to_account_id: int,
    amount: Decimal | int,
    idempotency_key: Name | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Transfer:
    """Move money between two wallets, or two pockets of one.

    Between two wallets of one currency, or two pockets of one wallet. `amount` is in major units.
    Returns the `Transfer` with both balances after it.
    Raises InvalidAmount, InvalidArgument (also for other pairs of accounts), CurrencyMismatch,
    AccountNotFound, IdempotencyConflict, AccountClosed, AccountFrozen, InsufficientFunds.
    Calls pgwallet.transfer.
    """


@database_function
def deposit_many(
    wallet_ids: Iterable[int],
    amounts: Iterable[Decimal | int],
    idempotency_keys: Iterable[Name | None] | None = None,
    metadata: Iterable[Any] | None = None,
    effective_at: Iterable[datetime | None] | None = None,
) -> list[DepositRow]:
    """Put money into many wallets, all of it or none.

    The lists run in parallel and are of one length, with one or None for each deposit; `amounts`
    are in major units of each wallet's currency. Returns a `DepositRow` for each deposit, in the
    order given.
    Raises InvalidAmount, InvalidArgument, WalletNotFound, IdempotencyConflict, AccountClosed.
    Calls pgwallet.deposit_many.
    """


@database_function
def erase_owner(wallet_id: int) -> Erasure:
    """Forget whose wallet it is, and its transactions' metadata.

    The owner becomes a made-up one. Called again it erases what came since. Returns the `Erasure`
    with the wallet's balance in major units.
    Raises WalletNotFound.
    Calls pgwallet.erase_owner.
    """


@database_function
def list_wallets(owner_id: Name) -> list[Wallet]:
    """The wallets of an owner, one a currency.

    Returns a list of `Wallet` with balances in major units, in the order of currencies, and an
    empty one for an owner without a wallet.
    Raises InvalidArgument.
    Calls pgwallet.list_wallets.
    """


@database_function
def close_wallet(wallet_id: int) -> Wallet:
    """Close a wallet for good, and its pockets with it.

    Nothing may be left in it, in its pockets or locked in its pledges. One that is closed already
    is returned as it is. Returns the `Wallet`, with amounts in major units.
    Raises WalletNotFound, AccountNotEmpty.
    Calls pgwallet.close_wallet.
    """
