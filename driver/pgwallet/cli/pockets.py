"""Commands for pockets, and for splitting money over them."""

from dataclasses import asdict, dataclass
from typing import Annotated

import typer

import pgwallet

from .commands import Session, either_or, group, on_database, passing_on
from .parameters import (
    Amount,
    EffectiveAt,
    IdempotencyKey,
    IdempotencyKeys,
    Metadata,
    PocketId,
    Rounding,
    RoundingOption,
    StopAtTarget,
    TargetAmount,
    WalletAmounts,
    WalletId,
)

splitting = group()
pocket = group()

_POCKETS = (
    *("pocket_id", "name", "allocation_percentage", "takes_rest"),
    *("balance", "target_amount", "stop_at_target", "lacking_amount"),
)
_SHARES = ("wallet_id", "name", "allocation_percentage", "amount", "balance", "currency")


@dataclass(frozen=True, slots=True)
class WalletShare(pgwallet.ShareRow):
    """What one pocket of one of many wallets got; they may be in different currencies."""

    currency: str | None


passing_on(
    pocket,
    "create",
    pgwallet.create_pocket,
    example="pocket create 508398 rent --allocation-percentage 50",
)
passing_on(
    pocket,
    "list",
    pgwallet.list_pockets,
    example="pocket list 508398",
    more="JSON and CSV have more columns than the table.",
    in_table=_POCKETS,
)
passing_on(
    pocket, "rename", pgwallet.rename_pocket, example="pocket rename 509422 'rent and power'"
)
passing_on(
    pocket,
    "set-allocation",
    pgwallet.set_allocation,
    example="pocket set-allocation 509422 33.3333",
)
passing_on(
    pocket,
    "transfer-to",
    pgwallet.transfer_to_pocket,
    example="pocket transfer-to 509422 25.00",
)
passing_on(
    pocket,
    "transfer-from",
    pgwallet.transfer_from_pocket,
    example="pocket transfer-from 509422 25.00",
)
passing_on(pocket, "close", pgwallet.close_pocket, example="pocket close 509422")


@on_database(pocket, "set-target")
def set_target(
    session: Session,
    pocket_id: PocketId,
    target_amount: TargetAmount = None,
    stop_at_target: StopAtTarget = False,
    no_target: Annotated[
        bool, typer.Option("--no-target", help="Take the target away, instead of an amount.")
    ] = False,
) -> None:
    """Change what a pocket is to hold one day.

    \b
    Example:  pgwallet pocket set-target 509422 1500 --stop-at-target
    """
    either_or("an amount", target_amount, "--no-target", no_target or None)
    changed = pgwallet.set_target(session.conn, pocket_id, target_amount, stop_at_target)
    session.show(changed, session.currency_of(pocket_id))


@on_database(splitting, "allocate-deposit")
def allocate_deposit(
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
    Example:  pgwallet allocate-deposit 508398 100.01 --dry-run
    """
    if dry_run:
        split = pgwallet.preview_allocation(session.conn, wallet_id, amount, rounding)
    else:
        split = pgwallet.allocate_deposit(
            session.conn, wallet_id, amount, rounding, idempotency_key, metadata, effective_at
        )
    session.show(split, session.currency_of(wallet_id))
    if not split.shares:
        session.say(
            "No pocket got anything: none has a percentage that makes a unit of this amount. "
            "Give one its share with: pgwallet pocket create, pocket set-allocation"
        )
    if dry_run:
        session.say("A dry run: nothing was moved.")


@on_database(splitting, "allocate-deposits")
def allocate_deposits(
    session: Session,
    allocations: WalletAmounts,
    rounding: RoundingOption = Rounding.HALF_UP,
    idempotency_keys: IdempotencyKeys = None,
) -> None:
    """Split amounts of many wallets over their pockets.

    All of them or none, in one call. JSON and CSV have more columns than the table.

    \b
    Example:  pgwallet allocate-deposits 508398=100.01 509366=20
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
