"""Commands for projects: opening and closing them, settling them, paying out."""

from typing import Annotated

import typer

import pgwallet
from pgwallet._parameters import as_id

from .asking import confirm
from .commands import (
    INTERRUPTED,
    Session,
    either_or,
    found,
    group,
    on_database,
    passing_on,
)
from .output import err, money
from .parameters import (
    BatchSize,
    Outcome,
    Page,
    ProjectId,
    Yes,
)
from .settle import REFUNDING, RELEASING, Settling, T, settle

project = group()
earnings = group()


passing_on(
    project,
    "create",
    pgwallet.create_project,
    example="project create film --commission-rate 0.05",
)


@on_database(project, "list", calls="list_projects")
def list_(
    session: Session,
    status: Annotated[
        str | None, typer.Option(metavar="STATUS", help="open, succeeded or failed.")
    ] = None,
    after_project_id: Annotated[
        int, typer.Option(metavar="ID", help="The last project already seen.")
    ] = 0,
    limit: Page = 100,
) -> None:
    """Show projects, without what was pledged to them.

    \b
    Example:  pgwallet project list --status open
    """
    rows = pgwallet.list_projects(session.conn, status, after_project_id, limit)
    session.show_rows(pgwallet.Project, rows)
    if len(rows) == limit:
        session.say(f"There may be more: --after-project-id {rows[-1].project_id}")


@on_database(project, "show", calls="get_project")
def show(
    session: Session,
    project_id: Annotated[
        int | None, typer.Argument(metavar="[PROJECT_ID]", help="Id of the project.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(metavar="REFERENCE", help="Your own name for it, without its id.")
    ] = None,
) -> None:
    """Show what was pledged to a project and what became of it.

    \b
    Example:  pgwallet project show 510976
    """
    either_or("PROJECT_ID", project_id, "--reference", reference)
    if reference is None:
        session.show(pgwallet.get_project(session.conn, project_id or 0))
    else:
        session.show(
            found(f"project {reference!r}", pgwallet.find_project(session.conn, reference))
        )


@on_database(project, "close", calls="close_project")
def close(
    session: Session,
    project_id: ProjectId,
    outcome: Annotated[Outcome, typer.Argument(metavar="OUTCOME", help="succeeded or failed.")],
    yes: Yes = False,
) -> None:
    """Take no more pledges for a project; its outcome is final.

    \b
    Example:  pgwallet project close 510976 succeeded
    """
    _confirm(session, project_id, outcome, "", yes)
    session.show(pgwallet.close_project(session.conn, project_id, outcome))


@on_database(project, "release", calls="release_escrows")
def release(
    session: Session, project_id: ProjectId, batch_size: BatchSize = 1000, yes: Yes = False
) -> None:
    """Close a project as succeeded and release all its escrows.

    Each batch is committed on its own. Ctrl-C stops after the batch under way, a second one
    breaks it off; run it again to go on.

    \b
    Example:  pgwallet project release 510976 --batch-size 500
    """
    _confirm(session, project_id, Outcome.SUCCEEDED, " and release the locked ones", yes)
    _settle(session, RELEASING, project_id, batch_size)


@on_database(project, "refund", calls="refund_escrows")
def refund(
    session: Session, project_id: ProjectId, batch_size: BatchSize = 1000, yes: Yes = False
) -> None:
    """Close a project as failed and give all its pledges back.

    Each batch is committed on its own. Ctrl-C stops after the batch under way, a second one
    breaks it off; run it again to go on.

    \b
    Example:  pgwallet project refund 510976
    """
    _confirm(session, project_id, Outcome.FAILED, " and refund them", yes)
    _settle(session, REFUNDING, project_id, batch_size)


passing_on(
    project,
    "release-escrows",
    pgwallet.release_escrows,
    example="project release-escrows 510976 --limit 500",
)
passing_on(
    project,
    "refund-escrows",
    pgwallet.refund_escrows,
    example="project refund-escrows 510976 --limit 500",
)
passing_on(
    project,
    "payout",
    pgwallet.payout,
    example="project payout 510976 18.42 --idempotency-key film-1",
)

passing_on(
    earnings,
    "collect-earnings",
    pgwallet.collect_earnings,
    example="collect-earnings EUR commission 250 --idempotency-key may",
)


_AT_STAKE = """
select p.reference, p.status, p.locked_count, p.locked_amount, p.currency, e.count, e.amount
from pgwallet.project_summary as p
cross join lateral (
  select count(*), coalesce(sum(s.locked_amount), 0) as amount
  from pgwallet.escrow_summary as s
  where s.project_id = p.project_id and s.expired
) as e
where p.project_id = %s
"""


def _confirm(session: Session, project_id: int, outcome: Outcome, more: str, yes: bool) -> None:
    """Asks with what shows a wrong id: the project's name, and how much is at stake."""
    if yes:
        return
    row = session.conn.execute(_AT_STAKE, [as_id("project_id", project_id)]).fetchone()
    if row is None or row[1] not in ("open", outcome):
        return  # for the ledger to refuse
    reference, _, count, amount, currency, expired, expired_amount = row
    other = ""
    if expired and outcome is Outcome.SUCCEEDED:
        # Those are not released, and stay for refund_expired_escrows.
        count, amount = count - expired, amount - expired_amount
        other = f", and {expired:,} that expired, {money(expired_amount, currency)}"
    escrows = f"{count:,} locked escrow{'' if count == 1 else 's'}, {money(amount, currency)}"
    confirm(
        f"Project {project_id} '{reference}' has {escrows}{other}. "
        f"Close it as {outcome}{more}? This is final.",
        yes,
    )


def _settle(session: Session, settling: Settling[T], project_id: int, batch_size: int) -> None:
    settled = settle(session.conn, settling, project_id, batch_size, session.show)
    if settled.interrupted:
        err.print("Interrupted; the totals shown are committed. To go on, run it again.")
        raise typer.Exit(INTERRUPTED)
