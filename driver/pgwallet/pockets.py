"""Pockets: parts of a wallet, and splitting money over them by percentage."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Context, Decimal
from typing import Any

from ._call import Arguments, Name, Result, Rows, columns_of
from ._function import database_function, database_function_returning
from .results import Allocation, Pocket, PocketClosing, PocketTransfer, Share, ShareRow

# Wide enough for every amount, so that a caller's own decimal context rounds nothing.
_EXACT = Context(prec=200)


def _allocation(rows: Rows, arguments: Arguments) -> Allocation:
    every = [Share(*row[:-2]) for row in rows]
    transaction_id, replayed = rows[0][-2:]
    allocated = Decimal(0)
    for share in every:
        allocated = _EXACT.add(allocated, share.amount)
    # The amount may have come without decimals, or with more zeros than the currency.
    remaining = _EXACT.subtract(arguments["amount"], allocated).quantize(allocated, context=_EXACT)
    # Where no pocket received anything, there is one row without a pocket, and no share.
    shares = tuple(share for share in every if share.pocket_id is not None)
    return Allocation(shares, allocated, remaining, transaction_id, replayed)


_ALLOCATION = Result((*columns_of(Share), "transaction_id", "replayed"), _allocation)
_PREVIEW = Result((*columns_of(Share), "null::bigint", "false"), _allocation)


@database_function
def create_pocket(
    wallet_id: int,
    name: str,
    allocation_percentage: Decimal | int = 0,
    pocket_type: str | None = None,
    target_amount: Decimal | int | None = None,
    stop_at_target: bool = False,
    takes_rest: bool = False,
) -> Pocket:
    """Add a pocket to a wallet, or find the one that is there.

    The same name and arguments as a pocket has now return that one. `allocation_percentage` is the
    pocket's share of what is allocated, from 0 to 100 with up to four decimals; `target_amount` is
    in major units, and `stop_at_target` lets no allocation give it more. One pocket of a wallet may
    instead take the rest, which is what the others leave. Returns the `Pocket`.
    Raises InvalidAmount, InvalidArgument (also for a name that another pocket of the wallet has, or
    a second one that takes the rest), WalletNotFound, AccountClosed, AllocationExceeds100.
    Calls pgwallet.create_pocket.
    """


@database_function
def rename_pocket(pocket_id: int, name: str) -> Pocket:
    """Give a pocket another name.

    No other pocket of its wallet may have it, unless that one is closed. Returns the `Pocket`,
    with amounts in major units.
    Raises InvalidArgument (also for a name that is taken), PocketNotFound, AccountClosed.
    Calls pgwallet.rename_pocket.
    """


@database_function
def set_allocation(
    pocket_id: int, allocation_percentage: Decimal | int, takes_rest: bool = False
) -> Pocket:
    """Change a pocket's share of what is allocated.

    `allocation_percentage` is from 0 to 100, with up to four decimals; it is 0 for the one pocket
    of a wallet that may take the rest. Returns the `Pocket`, with amounts in major units.
    Raises InvalidArgument (also where another pocket takes the rest), PocketNotFound,
    AccountClosed, AllocationExceeds100.
    Calls pgwallet.set_allocation.
    """


@database_function
def set_target(
    pocket_id: int, target_amount: Decimal | int | None, stop_at_target: bool = False
) -> Pocket:
    """Change what a pocket is to hold one day, or take its target away with None.

    `target_amount` is in major units; with `stop_at_target` no allocation gives the pocket more
    than it lacks of it. Returns the `Pocket`.
    Raises InvalidAmount, InvalidArgument, PocketNotFound, AccountClosed.
    Calls pgwallet.set_target.
    """


@database_function_returning(_ALLOCATION)
def allocate_deposit(
    wallet_id: int,
    amount: Decimal | int,
    rounding: str = "half_up",
    idempotency_key: Name | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Allocation:
    """Split an amount that a wallet holds over its pockets by percentage.

    `amount` is in major units; `rounding` is half_up or largest_remainder. Returns the
    `Allocation`; what it leaves over stays in the wallet. When more pockets have a percentage
    than may take part, the logger `pgwallet` warns how many were left out.
    Raises InvalidAmount, InvalidArgument, WalletNotFound, IdempotencyConflict,
    InsufficientFunds, AccountClosed.
    Calls pgwallet.allocate_deposit.
    """


@database_function_returning(_PREVIEW)
def preview_allocation(
    wallet_id: int, amount: Decimal | int, rounding: str = "half_up"
) -> Allocation:
    """Show how an amount would be split, without moving it or asking for it.

    `amount` is in major units; `rounding` is half_up or largest_remainder. Returns the
    `Allocation`, of no transaction.
    Raises InvalidAmount, InvalidArgument, WalletNotFound.
    Calls pgwallet.preview_allocation.
    """


@database_function
def allocate_deposits(
    wallet_ids: Iterable[int],
    amounts: Iterable[Decimal | int],
    idempotency_keys: Iterable[Name | None] | None = None,
    rounding: str = "half_up",
    metadata: Iterable[Any] | None = None,
    effective_at: Iterable[datetime | None] | None = None,
) -> list[ShareRow]:
    """Split amounts over the pockets of many wallets, all of it or none.

    The lists run in parallel and are of one length, with one or None for each deposit; `amounts`
    are in major units of each wallet's currency; `rounding` is half_up or largest_remainder.
    Returns a `ShareRow` for each pocket that received money, wallets in the order given; where
    none did, one without a pocket and with an amount of 0.
    Raises InvalidAmount, InvalidArgument, WalletNotFound, IdempotencyConflict,
    InsufficientFunds, AccountClosed.
    Calls pgwallet.allocate_deposits.
    """


@database_function
def transfer_to_pocket(
    pocket_id: int,
    amount: Decimal | int,
    idempotency_key: Name | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> PocketTransfer:
    """Move money from a wallet into one of its pockets.

    `amount` is in major units. Returns the `PocketTransfer` with both balances after it.
    Raises InvalidAmount, InvalidArgument, PocketNotFound, IdempotencyConflict,
    InsufficientFunds, AccountClosed.
    Calls pgwallet.transfer_to_pocket.
    """


@database_function
def transfer_from_pocket(
    pocket_id: int,
    amount: Decimal | int,
    idempotency_key: Name | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> PocketTransfer:
    """Move money from a pocket back into its wallet.

    `amount` is in major units. Returns the `PocketTransfer` with both balances after it.
    Raises InvalidAmount, InvalidArgument, PocketNotFound, IdempotencyConflict,
    InsufficientFunds, AccountClosed.
    Calls pgwallet.transfer_from_pocket.
    """


@database_function
def close_pocket(
    pocket_id: int,
    idempotency_key: Name | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> PocketClosing:
    """Close a pocket for good: what it held goes to its wallet.

    Its name and percentage are free again. Returns the `PocketClosing` with what moved and the
    wallet's balance after it, in major units.
    Raises InvalidArgument, PocketNotFound, IdempotencyConflict, AccountClosed.
    Calls pgwallet.close_pocket.
    """


@database_function
def list_pockets(wallet_id: int) -> list[Pocket]:
    """The open pockets of a wallet, with what they hold.

    Returns a list of `Pocket` with balances in major units, the oldest first.
    Raises WalletNotFound.
    Calls pgwallet.list_pockets.
    """
