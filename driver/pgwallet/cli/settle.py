"""Releasing or refunding a project with a progress bar, stopped by Ctrl-C between batches."""

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
from pgwallet import Project, RefundBatch, ReleaseBatch
from pgwallet._connection import Connection

from .database import locked_escrows
from .output import err, money


@dataclass(frozen=True, slots=True)
class Released:
    """What has been released and committed so far."""

    project_id: int
    escrow_count: int
    gross_amount: Decimal
    commission_amount: Decimal
    fee_amount: Decimal
    net_amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Refunded:
    """What has been refunded and committed so far."""

    project_id: int
    escrow_count: int
    refunded_amount: Decimal
    currency: str


T = TypeVar("T", Released, Refunded)


@dataclass(frozen=True, slots=True)
class Settling(Generic[T]):
    """One of the two ways to settle.

    `amounts` are what a batch and the total both have; the first is the money moved.
    """

    outcome: str
    verb: str
    amounts: tuple[str, ...]
    nothing: Callable[[Project], T]
    batches: Callable[[Connection, int, int], Iterator[ReleaseBatch | RefundBatch]]


@dataclass(frozen=True, slots=True)
class Settled(Generic[T]):
    """How far it came."""

    total: T
    interrupted: bool = False


def _zero(project: Project) -> Decimal:
    """Nothing, in the decimals of the project's currency."""
    return project.max_pledge * 0


def _nothing_released(project: Project) -> Released:
    zero = _zero(project)
    return Released(project.project_id, 0, zero, zero, zero, zero, project.currency)


RELEASING: Settling[Released] = Settling(
    "succeeded",
    "released",
    ("gross_amount", "commission_amount", "fee_amount", "net_amount"),
    _nothing_released,
    lambda conn, project_id, batch_size: pgwallet.release_project(conn, project_id, batch_size),
)
REFUNDING: Settling[Refunded] = Settling(
    "failed",
    "refunded",
    ("refunded_amount",),
    lambda project: Refunded(project.project_id, 0, _zero(project), project.currency),
    lambda conn, project_id, batch_size: pgwallet.refund_project(conn, project_id, batch_size),
)


def settle(
    conn: Connection,
    settling: Settling[T],
    project_id: int,
    batch_size: int,
    report: Callable[[T], None],
) -> Settled[T]:
    """Closes the project and settles it to the end, or until Ctrl-C.

    `report` gets the totals in any case, also before an error passes: they are committed.
    """
    project = pgwallet.close_project(conn, project_id, settling.outcome)
    count = locked_escrows(conn, project_id)
    total = settling.nothing(project)
    interrupted = False
    batches = settling.batches(conn, project_id, batch_size)
    try:
        with _interruptible() as stop, _progress() as bar:
            task = bar.add_task(
                settling.verb.capitalize(), total=count, figures=_figures(settling, total, count)
            )
            while not stop.is_set() and (batch := next(batches, None)) is not None:
                total = _sum(settling, total, batch)
                figures = _figures(settling, total, count)
                bar.update(task, completed=total.escrow_count, figures=figures)
            interrupted = stop.is_set()
    except KeyboardInterrupt:
        interrupted = True
    finally:
        report(total)
    return Settled(total, interrupted)


def _sum(settling: Settling[T], total: T, batch: ReleaseBatch | RefundBatch) -> T:
    sums = {name: getattr(total, name) + getattr(batch, name) for name in settling.amounts}
    return replace(total, escrow_count=total.escrow_count + batch.escrow_count, **sums)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=err,
    )


def _figures(settling: Settling[T], total: T, count: int | None) -> str:
    escrows = f"{total.escrow_count:,}" + ("" if count is None else f"/{count:,}")
    moved = money(getattr(total, settling.amounts[0]), total.currency)
    return f"{escrows} escrows {moved:>14}"


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
