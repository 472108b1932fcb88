"""Releasing or refunding a project with a progress bar, stopped by Ctrl-C between batches."""

import operator
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from types import FrameType
from typing import Generic, TypeVar

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

import pgwallet
from pgwallet import RefundBatch, ReleaseBatch
from pgwallet._call import Connection

from .database import locked_escrows
from .output import err, money

B = TypeVar("B", ReleaseBatch, RefundBatch)


@dataclass(frozen=True, slots=True)
class Settling(Generic[B]):
    """One of the two ways to settle: what it needs, and what its amounts are called."""

    outcome: str
    verb: str
    batches: Callable[[Connection, int, int], Iterator[B]]
    amounts: Callable[[B], tuple[Decimal, ...]]
    labels: tuple[str, ...]


RELEASING: Settling[ReleaseBatch] = Settling(
    "succeeded",
    "released",
    lambda conn, project_id, batch_size: pgwallet.release_project(conn, project_id, batch_size),
    lambda batch: (
        batch.gross_amount,
        batch.commission_amount,
        batch.fee_amount,
        batch.net_amount,
    ),
    ("Gross", "Commission", "Fee", "Net"),
)
REFUNDING: Settling[RefundBatch] = Settling(
    "failed",
    "refunded",
    lambda conn, project_id, batch_size: pgwallet.refund_project(conn, project_id, batch_size),
    lambda batch: (batch.refunded_amount,),
    ("Refunded",),
)


@dataclass(frozen=True, slots=True)
class Settled:
    """What has been committed so far; the first amount is the money moved."""

    currency: str
    escrow_count: int
    amounts: tuple[Decimal, ...]
    interrupted: bool = False


def settle(
    conn: Connection,
    settling: Settling[B],
    project_id: int,
    batch_size: int,
    report: Callable[[Settled], None],
) -> Settled:
    """Closes the project and settles it to the end, or until Ctrl-C.

    `report` gets the totals in any case, also before an error passes: they are committed.
    """
    project = pgwallet.close_project(conn, project_id, settling.outcome)
    total = locked_escrows(conn, project_id)
    settled = Settled(project.currency, 0, (Decimal(0),) * len(settling.labels))
    batches = settling.batches(conn, project_id, batch_size)
    try:
        with _interruptible() as stop, _progress() as bar:
            task = bar.add_task(
                settling.verb.capitalize(), total=total, figures=_figures(settled, total)
            )
            while not stop.is_set() and (batch := next(batches, None)) is not None:
                settled = _sum(settled, batch.escrow_count, settling.amounts(batch))
                figures = _figures(settled, total)
                bar.update(task, completed=settled.escrow_count, figures=figures)
            settled = replace(settled, interrupted=stop.is_set())
    except KeyboardInterrupt:
        settled = replace(settled, interrupted=True)
    finally:
        report(settled)
    return settled


def _sum(settled: Settled, escrow_count: int, amounts: tuple[Decimal, ...]) -> Settled:
    return replace(
        settled,
        escrow_count=settled.escrow_count + escrow_count,
        amounts=tuple(map(operator.add, settled.amounts, amounts)),
    )


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=err,
    )


def _figures(settled: Settled, total: int | None) -> str:
    count = f"{settled.escrow_count:,}" + ("" if total is None else f"/{total:,}")
    return f"{count} escrows {money(settled.amounts[0], settled.currency):>14}"


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Ctrl-C sets the event, so that the batch under way is finished and counted.

    Once more breaks it off, as Python does by itself: for a batch that waits for a lock.
    """
    stop = threading.Event()

    def interrupted(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
