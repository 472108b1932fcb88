"""Pockets: parts of a wallet, and splitting money over them by percentage."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Context, Decimal
from typing import Any

from ._call import Call, Rows, database_function, each, one
from ._parameters import as_decimal, as_decimals, as_id, as_ids, as_text, as_texts, origin
from .results import Allocation, Pocket, PocketTransfer, Share, ShareRow

# Wide enough for every amount, so that a caller's own decimal context rounds nothing.
_EXACT = Context(prec=200)


@database_function
def create_pocket(
    wallet_id: int,
    name: str,
    allocation_percentage: Decimal | int = 0,
    pocket_type: str | None = None,
    target_amount: Decimal | int | None = None,
) -> Call[Pocket]:
    """Add a pocket to a wallet.

    `allocation_percentage` is the pocket's share of what is allocated, from 0 to 100 with up
    to four decimals; `target_amount` is in major units. Returns the `Pocket`.
    Raises InvalidAmount, InvalidArgument (also for a name taken in this wallet),
    WalletNotFound, AllocationExceeds100.
    Calls pgwallet.create_pocket.
    """
    return Call(
        """
        select pocket_id, wallet_id, name, allocation_percentage, balance, pocket_type,
               target_amount
        from pgwallet.create_pocket(
          p_wallet_id => %s::bigint, p_name => %s::text,
          p_allocation_percentage => %s::numeric, p_pocket_type => %s::text,
          p_target_amount => %s::numeric)
        """,
        (
            as_id("wallet_id", wallet_id),
            as_text("name", name),
            as_decimal("allocation_percentage", allocation_percentage),
            as_text("pocket_type", pocket_type),
            as_decimal("target_amount", target_amount),
        ),
        one(Pocket),
    )


@database_function
def set_allocation(pocket_id: int, allocation_percentage: Decimal | int) -> Call[Pocket]:
    """Change a pocket's share of what is allocated.

    `allocation_percentage` is from 0 to 100, with up to four decimals. Returns the `Pocket`.
    Raises InvalidArgument, PocketNotFound, AllocationExceeds100.
    Calls pgwallet.set_allocation.
    """
    return Call(
        """
        select pocket_id, wallet_id, name, allocation_percentage, balance, pocket_type,
               target_amount
        from pgwallet.set_allocation(
          p_pocket_id => %s::bigint, p_allocation_percentage => %s::numeric)
        """,
        (
            as_id("pocket_id", pocket_id),
            as_decimal("allocation_percentage", allocation_percentage),
        ),
        one(Pocket),
    )


@database_function
def allocate_deposit(
    wallet_id: int,
    amount: Decimal | int,
    rounding: str = "half_up",
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Call[Allocation]:
    """Split an amount that a wallet holds over its pockets by percentage.

    `amount` is in major units; `rounding` is half_up or largest_remainder. Returns the
    `Allocation`; what it leaves over stays in the wallet. When more pockets have a percentage
    than may take part, the logger `pgwallet` warns how many were left out.
    Raises InvalidAmount, InvalidArgument, WalletNotFound, IdempotencyConflict,
    InsufficientFunds.
    Calls pgwallet.allocate_deposit.
    """
    return Call(
        """
        select pocket_id, name, allocation_percentage, amount, balance, transaction_id, replayed
        from pgwallet.allocate_deposit(
          p_wallet_id => %s::bigint, p_amount => %s::numeric, p_rounding => %s::text,
          p_idempotency_key => %s::text, p_metadata => %s::jsonb,
          p_effective_at => %s::timestamptz)
        """,
        (
            as_id("wallet_id", wallet_id),
            as_decimal("amount", amount),
            as_text("rounding", rounding),
            *origin(idempotency_key, metadata, effective_at),
        ),
        _allocation_of(amount),
    )


@database_function
def preview_allocation(
    wallet_id: int, amount: Decimal | int, rounding: str = "half_up"
) -> Call[Allocation]:
    """Show how an amount would be split, without moving it or asking for it.

    `amount` is in major units; `rounding` is half_up or largest_remainder. Returns the
    `Allocation`, of no transaction.
    Raises InvalidAmount, InvalidArgument, WalletNotFound.
    Calls pgwallet.preview_allocation.
    """
    return Call(
        """
        select pocket_id, name, allocation_percentage, amount, balance,
               null::bigint as transaction_id, false as replayed
        from pgwallet.preview_allocation(
          p_wallet_id => %s::bigint, p_amount => %s::numeric, p_rounding => %s::text)
        """,
        (
            as_id("wallet_id", wallet_id),
            as_decimal("amount", amount),
            as_text("rounding", rounding),
        ),
        _allocation_of(amount),
    )


@database_function
def allocate_deposits(
    wallet_ids: Iterable[int],
    amounts: Iterable[Decimal | int],
    idempotency_keys: Iterable[str | None] | None = None,
    rounding: str = "half_up",
) -> Call[list[ShareRow]]:
    """Split amounts over the pockets of many wallets, all of it or none.

    The lists run in parallel and are of one length; `amounts` are in major units of each
    wallet's currency; `rounding` is half_up or largest_remainder. Returns a `ShareRow` for
    each pocket that received money, wallets in the order given.
    Raises InvalidAmount, InvalidArgument, WalletNotFound, IdempotencyConflict,
    InsufficientFunds.
    Calls pgwallet.allocate_deposits.
    """
    return Call(
        """
        select wallet_id, pocket_id, name, allocation_percentage, amount, balance,
               transaction_id, replayed
        from pgwallet.allocate_deposits(
          p_wallet_ids => %s::bigint[], p_amounts => %s::numeric[],
          p_idempotency_keys => %s::text[], p_rounding => %s::text)
        """,
        (
            as_ids("wallet_ids", wallet_ids),
            as_decimals("amounts", amounts),
            as_texts("idempotency_keys", idempotency_keys),
            as_text("rounding", rounding),
        ),
        each(ShareRow),
    )


@database_function
def transfer_to_pocket(
    pocket_id: int,
    amount: Decimal | int,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Call[PocketTransfer]:
    """Move money from a wallet into one of its pockets.

    `amount` is in major units. Returns the `PocketTransfer` with both balances after it.
    Raises InvalidAmount, InvalidArgument, PocketNotFound, IdempotencyConflict,
    InsufficientFunds.
    Calls pgwallet.transfer_to_pocket.
    """
    return Call(
        """
        select balance, wallet_balance, transaction_id, replayed
        from pgwallet.transfer_to_pocket(
          p_pocket_id => %s::bigint, p_amount => %s::numeric,
          p_idempotency_key => %s::text, p_metadata => %s::jsonb,
          p_effective_at => %s::timestamptz)
        """,
        (
            as_id("pocket_id", pocket_id),
            as_decimal("amount", amount),
            *origin(idempotency_key, metadata, effective_at),
        ),
        one(PocketTransfer),
    )


@database_function
def transfer_from_pocket(
    pocket_id: int,
    amount: Decimal | int,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Call[PocketTransfer]:
    """Move money from a pocket back into its wallet.

    `amount` is in major units. Returns the `PocketTransfer` with both balances after it.
    Raises InvalidAmount, InvalidArgument, PocketNotFound, IdempotencyConflict,
    InsufficientFunds.
    Calls pgwallet.transfer_from_pocket.
    """
    return Call(
        """
        select balance, wallet_balance, transaction_id, replayed
        from pgwallet.transfer_from_pocket(
          p_pocket_id => %s::bigint, p_amount => %s::numeric,
          p_idempotency_key => %s::text, p_metadata => %s::jsonb,
          p_effective_at => %s::timestamptz)
        """,
        (
            as_id("pocket_id", pocket_id),
            as_decimal("amount", amount),
            *origin(idempotency_key, metadata, effective_at),
        ),
        one(PocketTransfer),
    )


def _allocation_of(amount: Decimal | int) -> Callable[[Rows], Allocation]:
    def read(rows: Rows) -> Allocation:
        shares = tuple(Share(*row[:-2]) for row in rows)
        transaction_id, replayed = rows[0][-2:] if rows else (None, False)
        allocated = Decimal(0)
        for share in shares:
            allocated = _EXACT.add(allocated, share.amount)
        remaining = _EXACT.subtract(Decimal(amount), allocated)
        if shares:
            # The amount may have come without decimals, or with more zeros than the currency.
            remaining = remaining.quantize(allocated, context=_EXACT)
        return Allocation(shares, allocated, remaining, transaction_id, replayed)

    return read
