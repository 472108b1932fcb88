"""Wallets: opening them, and money that comes in from outside or leaves."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from ._call import Call, database_function, each, one
from ._parameters import as_decimal, as_decimals, as_id, as_ids, as_text, as_texts, origin
from .results import Deposit, DepositRow, Wallet, Withdrawal


@database_function
def create_wallet(owner_id: str, currency: str = "EUR") -> Call[Wallet]:
    """Open a wallet, or return the one that the owner has in this currency.

    `currency` is an ISO 4217 code. Returns the `Wallet`.
    Raises InvalidArgument, CurrencyMismatch (unknown currency).
    Calls pgwallet.create_wallet.
    """
    return Call(
        """
        select wallet_id, owner_id, currency, balance
        from pgwallet.create_wallet(p_owner_id => %s::text, p_currency => %s::text)
        """,
        (as_text("owner_id", owner_id), as_text("currency", currency)),
        one(Wallet),
    )


@database_function
def deposit(
    wallet_id: int,
    amount: Decimal | int,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Call[Deposit]:
    """Put money from outside into a wallet.

    `amount` is in major units of the wallet's currency. Returns the `Deposit` with the
    wallet's balance after it.
    Raises InvalidAmount, InvalidArgument, WalletNotFound, IdempotencyConflict.
    Calls pgwallet.deposit.
    """
    return Call(
        """
        select balance, transaction_id, replayed
        from pgwallet.deposit(
          p_wallet_id => %s::bigint, p_amount => %s::numeric,
          p_idempotency_key => %s::text, p_metadata => %s::jsonb,
          p_effective_at => %s::timestamptz)
        """,
        (
            as_id("wallet_id", wallet_id),
            as_decimal("amount", amount),
            *origin(idempotency_key, metadata, effective_at),
        ),
        one(Deposit),
    )


@database_function
def withdraw(
    wallet_id: int,
    amount: Decimal | int,
    idempotency_key: str | None = None,
    metadata: Any = None,
    effective_at: datetime | None = None,
) -> Call[Withdrawal]:
    """Take money out of a wallet, to the outside.

    `amount` is in major units of the wallet's currency. Returns the `Withdrawal` with the
    wallet's balance after it.
    Raises InvalidAmount, InvalidArgument, WalletNotFound, IdempotencyConflict,
    InsufficientFunds.
    Calls pgwallet.withdraw.
    """
    return Call(
        """
        select balance, transaction_id, replayed
        from pgwallet.withdraw(
          p_wallet_id => %s::bigint, p_amount => %s::numeric,
          p_idempotency_key => %s::text, p_metadata => %s::jsonb,
          p_effective_at => %s::timestamptz)
        """,
        (
            as_id("wallet_id", wallet_id),
            as_decimal("amount", amount),
            *origin(idempotency_key, metadata, effective_at),
        ),
        one(Withdrawal),
    )


@database_function
def deposit_many(
    wallet_ids: Iterable[int],
    amounts: Iterable[Decimal | int],
    idempotency_keys: Iterable[str | None] | None = None,
) -> Call[list[DepositRow]]:
    """Put money into many wallets, all of it or none.

    The lists run in parallel and are of one length; `amounts` are in major units of each
    wallet's currency. Returns a `DepositRow` for each deposit, in the order given.
    Raises InvalidAmount, InvalidArgument, WalletNotFound, IdempotencyConflict.
    Calls pgwallet.deposit_many.
    """
    return Call(
        """
        select wallet_id, balance, transaction_id, replayed
        from pgwallet.deposit_many(
          p_wallet_ids => %s::bigint[], p_amounts => %s::numeric[],
          p_idempotency_keys => %s::text[])
        """,
        (
            as_ids("wallet_ids", wallet_ids),
            as_decimals("amounts", amounts),
            as_texts("idempotency_keys", idempotency_keys),
        ),
        each(DepositRow),
    )
