"""Commands for pledges and the escrows they make."""

from typing import Annotated

import typer

import pgwallet

from .commands import Session, group, on_database, passing_on
from .parameters import OfProject, OfWallet, Page

pledging = group()
escrow = group()

passing_on(
    pledging,
    "pledge",
    pgwallet.pledge,
    more="It stays locked until it is released or refunded.",
    example="pledge 508398 510976 20 --expires-at 2027-01-31T12:00:00Z",
)
passing_on(
    pledging,
    "pledge change",
    pgwallet.change_pledge,
    more="Never below what was released and refunded of it.",
    example="pledge change 511470 25",
)
passing_on(pledging, "pledge cancel", pgwallet.cancel_pledge, example="pledge cancel 511470")
LISTED = ("escrow_id", "reference", "status", "amount", "locked_amount", "currency")


@on_database(pledging, "pledge list", calls="list_escrows")
def pledge_list(
    session: Session,
    wallet_id: OfWallet = None,
    project_id: OfProject = None,
    status: Annotated[
        str | None,
        typer.Option(
            metavar="STATUS", help="locked, disputed, released, refunded, expired or settled."
        ),
    ] = None,
    after_escrow_id: Annotated[
        int, typer.Option(metavar="ID", help="The last pledge already seen.")
    ] = 0,
    limit: Page = 100,
) -> None:
    """Show the pledges of a wallet or to a project.

    JSON and CSV have more columns: the wallet and project, times, and what was released,
    refunded and taken.

    \b
    Example:  pgwallet pledge list --wallet-id 508398 --status locked
    """
    rows = pgwallet.list_escrows(
        session.conn, wallet_id, project_id, status, after_escrow_id, limit
    )
    session.show_rows(pgwallet.Escrow, rows, in_table=LISTED)
    if len(rows) == limit:
        session.say(f"There may be more: --after-escrow-id {rows[-1].escrow_id}")


passing_on(
    pledging,
    "pledge show",
    pgwallet.get_escrow,
    example="pledge show 511470",
)
passing_on(
    escrow,
    "release",
    pgwallet.release_escrow,
    more="The project gets it less commission and fee.",
    example="escrow release 511470 --amount 5.00",
)
passing_on(escrow, "refund", pgwallet.refund_escrow, example="escrow refund 511470")
passing_on(
    escrow,
    "refund-release",
    pgwallet.refund_release,
    more="Commission and fee give back what they took of it, the project the rest.",
    example="escrow refund-release 511470 --amount 5.00",
)
passing_on(
    escrow,
    "dispute",
    pgwallet.dispute_escrow,
    more="Meanwhile nothing releases, refunds or changes it.",
    example="escrow dispute 511470 'charge-back 4711'",
)
passing_on(
    escrow,
    "resolve-dispute",
    pgwallet.resolve_dispute,
    more="Upheld refunds what is left, rejected locks it again.",
    example="escrow resolve-dispute 511470 upheld",
)
passing_on(
    escrow,
    "refund-expired",
    pgwallet.refund_expired_escrows,
    more="They may be of any project. When it settled as many as the limit, there may be more.",
    example="escrow refund-expired --limit 1000",
)
