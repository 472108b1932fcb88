"""The command after a restore or a failover that lost commits."""

from typing import Annotated

import typer

import pgwallet
from pgwallet import SkippedIds

from .asking import confirm
from .commands import Session, group, on_database
from .parameters import Yes

recovering = group()


@on_database(recovering, calls="skip_ids")
def recovered(
    session: Session,
    margin: Annotated[
        int, typer.Option(metavar="NUMBER", help="Ids to skip: more than were lost.")
    ] = 100_000_000,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be skipped.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Skip ids that a restore or failover lost.

    Before anybody else calls, and once. All ids move ahead: those that were given out after the
    point to which the database came back, and that others may have noted, are not given again.

    \b
    Example:  pgwallet recovered --dry-run
    """
    planned = pgwallet.skip_ids(session.conn, margin, dry_run=True)
    if not dry_run:
        confirm(
            f"Move {len(planned)} sequences ahead by {margin:,}? Ids never go back: what is made "
            f"next has one above {_first_id(planned):,}.",
            yes,
        )
        planned = pgwallet.skip_ids(session.conn, margin)
        if session.conn.execute(_IS_SHARD).fetchone() == (True,):
            session.conn.execute("select pgwallet_shard.skip_own_ids(%s)", [margin])
    session.show_rows(SkippedIds, planned)
    session.say(
        "Nothing was moved."
        if dry_run
        else "No id that was lost is given again. It is an event, too."
    )


# Its plans and projects have ids of sequences that a ledger by itself has not.
_IS_SHARD = "select to_regprocedure('pgwallet_shard.skip_own_ids(bigint)') is not null"


def _first_id(planned: list[SkippedIds]) -> int:
    """Ids have the slot of their wallet in the last ten bits."""
    return next(row.next_after for row in planned if row.sequence_name == "id_seq") << 10
