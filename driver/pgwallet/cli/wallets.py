"""Commands for wallets, and for money that comes in or leaves."""

from typing import Annotated

import typer

import pgwallet

from .commands import Session, group, on_database
from .parameters import Amount, Currency, EffectiveAt, IdempotencyKey, Metadata, WalletId

money_in_and_out = group()
wallet = group()


@on_database(wallet, "create")
def create(
    session: Session,
    owner_id: Annotated[
        str, typer.Argument(metavar="OWNER_ID", help="Whose wallet, in words of your own.")
    ],
    currency: Currency = "EUR",
) -> None:
    """Open an owner's wallet, or show the one that is there.

    \b
    Example:  pgwallet wallet create ada --currency EUR
    """
    session.show(pgwallet.create_wallet(session.conn, owner_id, currency))


@on_database(money_in_and_out)
def deposit(
    session: Session,
    wallet_id: WalletId,
    amount: Amount,
    idempotency_key: IdempotencyKey = None,
    metadata: Metadata = None,
    effective_at: EffectiveAt = None,
) -> None:
    """Put money from outside into a wallet.

    \b
    Example:  pgwallet deposit 508398 100.01 --idempotency-key salary-1
    """
    deposited = pgwallet.deposit(
        session.conn, wallet_id, amount, idempotency_key, metadata, effective_at
    )
    session.show(deposited, session.currency_of(wallet_id))


@on_database(money_in_and_out)
def withdraw(
    session: Session,
    wallet_id: WalletId,
    amount: Amount,
    idempotency_key: IdempotencyKey = None,
    metadata: Metadata = None,
    effective_at: EffectiveAt = None,
) -> None:
    """Take money out of a wallet, to the outside.

    \b
    Example:  pgwallet withdraw 508398 20 --metadata '{"to": "DE89 3704 0044"}'
    """
    withdrawn = pgwallet.withdraw(
        session.conn, wallet_id, amount, idempotency_key, metadata, effective_at
    )
    session.show(withdrawn, session.currency_of(wallet_id))
