"""Commands for pockets, and for splitting money over them."""

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Annotated

import typer

import pgwallet

from .commands import Session, group, on_database
from .parameters import (
    Amount,
    EffectiveAt,
    IdempotencyKey,
    IdempotencyKeys,
    Metadata,
    Percentage,
    PercentageOption,
    PocketId,
    Rounding,
    RoundingOption,
    TargetAmount,
    WalletAmounts,
    WalletId,
)

splitting = group()
pocket = group()

_SHARES = ("wallet_id", "name", "allocation_percentage", "amount", "balance", "currency")


@dataclass(frozen=True, slots=True)
class WalletShare:
    """What one pocket of one of many wallets got; they may be in different currencies."""

    wallet_id: int
    pocket_id: int
    name: str
    allocation_percentage: Decimal
    amount: Decimal
    balance: Decimal
    transaction_id: int
    replayed: bool
    currency: str | None


@on_database(pocket, "add")
def add(
    session: Session,
    wallet_id: WalletId,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the pocket, of its own in the wallet.")
    ],
    allocation_percentage: PercentageOption = Decimal(0),
    pocket_type: Annotated[
        str | None, typer.Option(metavar="WORD", help="A kind of your own.")
    ] = None,
    target_amount: TargetAmount = None,
) -> None:
    """Add a pocket to a wallet.

    \b
    Example:  pgwallet pocket add 508398 rent --allocation-percentage 50
    """
    added = pgwallet.create_pocket(
        session.conn, wallet_id, name, allocation_percentage, pocket_type, target_amount
    )
    session.show(added, session.currency_of(wallet_id))


@on_database(pocket, "set-allocation")
def set_allocation(
    session: Session, pocket_id: PocketId, allocation_percentage: Percentage
) -> None:
    """Change a pocket's share of what is allocated.

    \b
    Example:  pgwallet pocket set-allocation 509422 33.3333
    """
    changed = pgwallet.set_allocation(session.conn, pocket_id, allocation_percentage)
    session.show(changed, session.currency_of(pocket_id))


@on_database(pocket, "transfer-to")
def transfer_to(
    session: Session,
    pocket_id: PocketId,
    amount: Amount,
    idempotency_key: IdempotencyKey = None,
    metadata: Metadata = None,
    effective_at: EffectiveAt = None,
) -> None:
    """Move money from the wallet into its pocket.

    \b
    Example:  pgwallet pocket transfer-to 509422 25.00
    """
    moved = pgwallet.transfer_to_pocket(
        session.conn, pocket_id, amount, idempotency_key, metadata, effective_at
    )
    session.show(moved, session.currency_of(pocket_id))


@on_database(pocket, "transfer-from")
def transfer_from(
    session: Session,
    pocket_id: PocketId,
    amount: Amount,
    idempotency_key: IdempotencyKey = None,
    metadata: Metadata = None,
    effective_at: EffectiveAt = None,
) -> None:
    """Move money from a pocket back into its wallet.

    \b
    Example:  pgwallet pocket transfer-from 509422 25.00
    """
    moved = pgwallet.transfer_from_pocket(
        session.conn, pocket_id, amount, idempotency_key, metadata, effective_at
    )
    session.show(moved, session.currency_of(pocket_id))


@on_database(splitting)
def allocate(
    session: Session,
    wallet_id: WalletId,
    amount: Amount,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the split and move nothing.")
    ] = False,
    rounding: RoundingOption = Rounding.HALF_UP,
    idempotency_key: IdempotencyKey = None,
    metadata: Metadata = None,
    effective_at: EffectiveAt = None,
) -> None:
    """Split an amount over a wallet's pockets by percentage.

    The wallet must hold what its pockets get; what the percentages leave over stays in it.

    \b
    Example:  pgwallet allocate 508398 100.01 --dry-run
    """
    if dry_run:
        split = pgwallet.preview_allocation(session.conn, wallet_id, amount, rounding)
    else:
        split = pgwallet.allocate_deposit(
            session.conn, wallet_id, amount, rounding, idempotency_key, metadata, effective_at
        )
    session.show(split, session.currency_of(wallet_id))
    if dry_run:
        session.say("A dry run: nothing was moved.")


@on_database(splitting, "allocate-many")
def allocate_many(
    session: Session,
    allocations: WalletAmounts,
    rounding: RoundingOption = Rounding.HALF_UP,
    idempotency_keys: IdempotencyKeys = None,
) -> None:
    """Split amounts of many wallets over their pockets.

    All of them or none, in one call. JSON and CSV have more columns than the table.

    \b
    Example:  pgwallet allocate-many 508398=100.01 509366=20
    """
    shares = pgwallet.allocate_deposits(
        session.conn,
        [allocation.wallet_id for allocation in allocations],
        [allocation.amount for allocation in allocations],
        idempotency_keys,
        rounding,
    )
    currencies = {
        wallet_id: session.currency_of(wallet_id)
        for wallet_id in {share.wallet_id for share in shares}
    }
    session.show_rows(
        WalletShare,
        [WalletShare(**asdict(share), currency=currencies[share.wallet_id]) for share in shares],
        in_table=_SHARES,
    )
