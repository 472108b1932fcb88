"""Commands for wallets, and for money that comes in or leaves."""

from dataclasses import dataclass
from decimal import Decimal

import pgwallet

from .asking import confirm
from .commands import Session, group, on_database, passing_on
from .parameters import WalletId, Yes

money_in_and_out = group()
wallet = group()

passing_on(wallet, "create", pgwallet.create_wallet, example="wallet create ada --currency EUR")
passing_on(wallet, "list", pgwallet.list_wallets, example="wallet list ada")


@dataclass(frozen=True, slots=True)
class Holding:
    """What a wallet holds: by itself, and in each of its pockets."""

    pockets: tuple[pgwallet.Pocket, ...]
    wallet_balance: Decimal
    pocket_balance: Decimal


@on_database(wallet, "show", calls="list_pockets")
def show(session: Session, wallet_id: WalletId) -> None:
    """Show what a wallet holds, by itself and in its pockets.

    What it has pledged is in: pgwallet pledge list --wallet-id

    \b
    Example:  pgwallet wallet show 508398
    """
    pockets = pgwallet.list_pockets(session.conn, wallet_id)
    held = pgwallet.balance(session.conn, wallet_id)
    in_pockets = sum((pocket.balance for pocket in pockets), held - held)
    session.show(Holding(tuple(pockets), held, in_pockets), session.currency_of(wallet_id))


passing_on(wallet, "close", pgwallet.close_wallet, example="wallet close 508398")


@on_database(wallet, "erase-owner", calls="erase_owner")
def erase_owner(session: Session, wallet_id: WalletId, yes: Yes = False) -> None:
    """Forget whose wallet it is, and its transactions' metadata.

    The wallet and its history stay, under a made-up owner.

    \b
    Example:  pgwallet wallet erase-owner 508398
    """
    confirm(
        f"Erase the owner of wallet {wallet_id} and the metadata of its transactions? "
        "This is final.",
        yes,
    )
    session.show(pgwallet.erase_owner(session.conn, wallet_id))


passing_on(
    money_in_and_out,
    "deposit",
    pgwallet.deposit,
    example="deposit 508398 100.01 --idempotency-key salary-1",
)
passing_on(
    money_in_and_out,
    "withdraw",
    pgwallet.withdraw,
    example="""withdraw 508398 20 --metadata '{"to": "DE89 3704 0044"}'""",
)
passing_on(money_in_and_out, "transfer", pgwallet.transfer, example="transfer 508398 510446 12.50")
