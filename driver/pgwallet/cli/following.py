"""The feed as lines, for a program that reads them from a pipe."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

import typer
from psycopg import errors

import pgwallet
from pgwallet import FeedRow

from .commands import Session, group, on_database
from .output import showing_notices
from .records import Form, header_of, lines_of

feeding = group()


class Terminated(KeyboardInterrupt):
    """Asked to end by a signal, which psycopg has to let through as it does Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


@on_database(feeding, calls="read_feed")
def feed(
    session: Session,
    after: Annotated[int, typer.Option(metavar="ID", help="The last posting already seen.")] = 0,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on for ever, with what comes.")
    ] = False,
    limit: Annotated[
        int, typer.Option(min=1, metavar="NUMBER", help="Postings read at a time, at most.")
    ] = 1000,
    shard: Annotated[
        int | None,
        typer.Option(min=0, metavar="NUMBER", help="On a router: of which shard, from 0 on."),
    ] = None,
) -> None:
    """Write every posting once, in order, as a line of JSON.

    None is missed, also of those that others are writing meanwhile: it waits for them. What it
    wrote it never cuts within a line; keep the last posting_id, and begin there the next time.
    With --csv it writes lines of CSV below a header.
    On the router of a cluster each shard has a feed of its own, without an order between them.
    With --follow it ends by a signal (130 after Ctrl-C, 143 after TERM), when the reader of the
    pipe is gone or the connection is lost (1).

    \b
    Example:  pgwallet feed --after 0 --follow
    """
    if session.form is Form.CSV:
        _write(header_of(FeedRow))
    try:
        with showing_notices(), _signals() as signals:
            for batch in pgwallet.feed(session.conn, after, follow, limit, shard):
                with signals.held():
                    _write(lines_of(session.form, batch))
    except Terminated as ended:
        raise typer.Exit(ended.exit_code) from None
    except errors.UndefinedFunction:
        if shard is None:
            raise
        raise typer.BadParameter(
            "--shard is for the router of a cluster, and this database is none"
        ) from None


def _write(lines: str) -> None:
    sys.stdout.write(lines)
    sys.stdout.flush()


class _Signals:
    """Ctrl-C and TERM end the command at once, but for what is being written."""

    def __init__(self) -> None:
        self._held = False
        self._came: int | None = None

    def came(self, number: int, frame: FrameType | None) -> None:
        is_first = self._came is None
        self._came = number
        if is_first:
            # Nothing raised while psycopg hands a notice over leaves it, so once more, and again.
            signal.setitimer(signal.ITIMER_REAL, 1, 1)
        if not (self._held and is_first):
            raise Terminated(number)

    def came_before(self, number: int, frame: FrameType | None) -> None:
        if not self._held and self._came is not None:
            raise Terminated(self._came)

    @contextmanager
    def held(self) -> Iterator[None]:
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._came is not None:
            raise Terminated(self._came)


@contextmanager
def _signals() -> Iterator[_Signals]:
    signals = _Signals()
    before = {
        number: signal.signal(number, handler)
        for number, handler in (
            (signal.SIGINT, signals.came),
            (signal.SIGTERM, signals.came),
            (signal.SIGALRM, signals.came_before),
        )
    }
    try:
        yield signals
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
