"""Commands for projects: opening and closing them, settling them, paying out."""

import sys
from typing import Annotated

import typer

import pgwallet

from .commands import Session, group, on_database
from .output import err
from .parameters import (
    AfterEscrowId,
    Amount,
    BatchLimit,
    BatchSize,
    Currency,
    EffectiveAt,
    IdempotencyKey,
    MaxPledge,
    Metadata,
    Outcome,
    ProjectId,
    Rate,
    Wait,
    Yes,
)
from .settle import REFUNDING, RELEASING, Settling, T, settle

INTERRUPTED = 130

project = group()


@on_database(project, "create")
def create(
    session: Session,
    reference: Annotated[
        str, typer.Argument(metavar="REFERENCE", help="Your own name for it, used once.")
    ],
    currency: Currency = "EUR",
    commission_rate: Rate = None,
    fee_rate: Rate = None,
    max_pledge: MaxPledge = None,
    project_id: Annotated[
        int | None,
        typer.Option(metavar="ID", help="For moving projects over: an unused multiple of 1024."),
    ] = None,
) -> None:
    """Open a project for pledges, or show the one that is there.

    \b
    Example:  pgwallet project create film --commission-rate 0.05
    """
    created = pgwallet.create_project(
        session.conn, reference, currency, commission_rate, fee_rate, max_pledge, project_id
    )
    session.show(created)


@on_database(project, "close")
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
    _confirm(f"Close project {project_id} as {outcome}? This is final.", yes)
    session.show(pgwallet.close_project(session.conn, project_id, outcome))


@on_database(project, "release")
def release(
    session: Session, project_id: ProjectId, batch_size: BatchSize = 1000, yes: Yes = False
) -> None:
    """Close a project as succeeded and release all its escrows.

    Each batch is committed on its own. Ctrl-C stops after the batch under way, a second one
    breaks it off; run it again to go on.

    \b
    Example:  pgwallet project release 510976 --batch-size 500
    """
    _confirm(f"Close project {project_id} as succeeded and release all of it? This is final.", yes)
    _settle(session, RELEASING, project_id, batch_size)


@on_database(project, "refund")
def refund(
    session: Session, project_id: ProjectId, batch_size: BatchSize = 1000, yes: Yes = False
) -> None:
    """Close a project as failed and give all its pledges back.

    Each batch is committed on its own. Ctrl-C stops after the batch under way, a second one
    breaks it off; run it again to go on.

    \b
    Example:  pgwallet project refund 510976
    """
    _confirm(f"Close project {project_id} as failed and refund all of it? This is final.", yes)
    _settle(session, REFUNDING, project_id, batch_size)


@on_database(project, "release-batch")
def release_batch(
    session: Session,
    project_id: ProjectId,
    limit: BatchLimit = 100,
    after_escrow_id: AfterEscrowId = 0,
    wait: Wait = False,
) -> None:
    """Release one batch of a succeeded project's escrows.

    \b
    Example:  pgwallet project release-batch 510976 --limit 500
    """
    batch = pgwallet.release_escrows(session.conn, project_id, limit, after_escrow_id, wait)
    session.show(batch, session.currency_of(project_id))


@on_database(project, "refund-batch")
def refund_batch(
    session: Session,
    project_id: ProjectId,
    limit: BatchLimit = 100,
    after_escrow_id: AfterEscrowId = 0,
    wait: Wait = False,
) -> None:
    """Give back one batch of a failed project's escrows.

    \b
    Example:  pgwallet project refund-batch 510976 --limit 500
    """
    batch = pgwallet.refund_escrows(session.conn, project_id, limit, after_escrow_id, wait)
    session.show(batch, session.currency_of(project_id))


@on_database(project, "payout")
def payout(
    session: Session,
    project_id: ProjectId,
    amount: Amount,
    idempotency_key: IdempotencyKey = None,
    metadata: Metadata = None,
    effective_at: EffectiveAt = None,
) -> None:
    """Pay released money out of a project, to the outside.

    \b
    Example:  pgwallet project payout 510976 18.42 --idempotency-key film-1
    """
    paid = pgwallet.payout(
        session.conn, project_id, amount, idempotency_key, metadata, effective_at
    )
    session.show(paid, session.currency_of(project_id))


def _confirm(question: str, yes: bool) -> None:
    """Asks who sits at a terminal; a script has decided already."""
    if not yes and sys.stdin.isatty():
        typer.confirm(question, abort=True, err=True)


def _settle(session: Session, settling: Settling[T], project_id: int, batch_size: int) -> None:
    settled = settle(session.conn, settling, project_id, batch_size, session.show)
    if settled.interrupted:
        err.print("Interrupted; the totals shown are committed. To go on, run it again.")
        raise typer.Exit(INTERRUPTED)
