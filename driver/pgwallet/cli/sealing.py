"""Commands that seal the history, and that show its seals."""

import json
import re
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from types import FrameType
from typing import Annotated

import typer
from psycopg import errors
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

import pgwallet
from pgwallet import NewSeal, Seal, Violation, WrongSeal
from pgwallet._connection import Connection

from .commands import INTERRUPTED, Session, group, on_database
from .output import err
from .parameters import Page
from .records import Form

sealing = group()

# The invariant that what was recorded never changes.
_RECORDED_STAYS = 5

_KEPT = re.compile(r"(\d{1,18}):([0-9a-fA-F]{64})", re.ASCII)

# So many seals go into a step of the progress bar.
_AT_ONCE = 200

_LISTED = ("seal_id", "sealed_at", "digest")


@on_database(sealing, calls="seal_ledger")
def seal(
    session: Session,
    limit: Annotated[
        int, typer.Option(min=1, metavar="NUMBER", help="Ids of a table in a seal at most.")
    ] = 100000,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until it is stopped.")] = False,
    every: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="How often, with --follow.")
    ] = 60,
) -> None:
    """Seal what was recorded since the last seal.

    It prints the id, the time and the digest of each seal: keep them where nobody who can change
    the database can change them. With --json, a line of JSON for each.

    \b
    Example:  pgwallet seal --follow --every 60 >> /mnt/elsewhere/seals.log
    """
    if session.form is Form.CSV:
        print(",".join(_LISTED), flush=True)
    with _stopped_by_signals(session.conn) as stop:
        while not stop.is_set():
            try:
                made = pgwallet.seal_ledger(session.conn, limit)
            except errors.QueryCanceled:
                if not stop.is_set():
                    raise
                break
            if made is not None:
                _print(session.form, made)
            if made is None or not made.has_more:
                if not follow:
                    break
                stop.wait(every)
    if stop.number == signal.SIGINT:
        raise typer.Exit(INTERRUPTED)


@on_database(sealing, calls="list_seals")
def seals(
    session: Session,
    after_seal_id: Annotated[
        int, typer.Option(metavar="ID", help="The last seal already seen.")
    ] = 0,
    limit: Page = 100,
    newest_first: Annotated[
        bool, typer.Option("--newest-first", help="Begin with the last seal.")
    ] = False,
) -> None:
    """Show seals with their digests.

    JSON and CSV have more columns: the last ids that each covers.

    \b
    Example:  pgwallet seals --newest-first --limit 1
    """
    rows = pgwallet.list_seals(session.conn, after_seal_id, limit, newest_first)
    session.show_rows(Seal, rows, in_table=_LISTED)
    if len(rows) == limit:
        session.say(f"There may be more: --after-seal-id {rows[-1].seal_id}")


@dataclass(frozen=True, slots=True)
class KeptDigest:
    """What was printed of a seal, and kept elsewhere."""

    seal_id: int
    digest: str


def _kept_digest(value: str) -> KeptDigest:
    found = _KEPT.fullmatch(value)
    if found is None:
        raise typer.BadParameter("this is not a seal and its digest such as 7:5f3a (64 digits)")
    return KeptDigest(int(found[1]), found[2].lower())


SinceSealId = Annotated[
    int, typer.Option(metavar="ID", help="Trust this seal and those before it; 0 for none.")
]
Digests = Annotated[
    list[KeptDigest] | None,
    typer.Option(
        "--digest", parser=_kept_digest, metavar="ID:DIGEST", help="One that was kept elsewhere."
    ),
]


def wrong_digests(conn: Connection, kept: Sequence[KeptDigest]) -> list[Violation]:
    """The seals whose digests are others than those kept."""
    found = []
    for each in kept:
        there = pgwallet.list_seals(conn, each.seal_id - 1, 1)
        if there and there[0].seal_id == each.seal_id:
            if there[0].digest != each.digest:
                found.append(
                    _violation(
                        each.seal_id, f"Its digest is {there[0].digest}, not the one that was kept."
                    )
                )
        else:
            found.append(_violation(each.seal_id, "It is not there."))
    return found


def wrong_seals(conn: Connection, since_seal_id: int) -> list[Violation]:
    """The first seal that does not fit, as record_check finds it where nothing can be written."""
    wrong = _first_wrong_seal(conn, since_seal_id)
    if wrong is None:
        return []
    covers = f"It covers {wrong.covers}. " if wrong.covers else ""
    return [_violation(wrong.seal_id, covers + wrong.detail)]


def _violation(seal_id: int, detail: str) -> Violation:
    return Violation(_RECORDED_STAYS, f"seal {seal_id}", detail)


def _first_wrong_seal(conn: Connection, since_seal_id: int) -> WrongSeal | None:
    """Computes some seals at a time, with a progress bar for people."""
    last = pgwallet.list_seals(conn, limit=1, newest_first=True)
    if not last:
        return pgwallet.check_seals(conn, since_seal_id)
    with Progress(
        TextColumn("Seals"),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=err,
        transient=True,
    ) as bar:
        task = bar.add_task("seals", total=last[0].posting_id)
        while some := pgwallet.list_seals(conn, since_seal_id, _AT_ONCE):
            wrong = pgwallet.check_seals(conn, since_seal_id, some[-1].seal_id)
            if wrong is not None:
                return wrong
            since_seal_id = some[-1].seal_id
            bar.update(task, completed=some[-1].posting_id)
    return pgwallet.check_seals(conn, since_seal_id)


def _print(form: Form, made: NewSeal) -> None:
    """A line that is out at once, whatever reads it."""
    line = made.seal_id, made.sealed_at.astimezone(UTC).isoformat(), made.digest
    match form:
        case Form.TABLE:
            text = "seal {}  {}  {}".format(*line)
        case Form.JSON:
            text = json.dumps(dict(zip(_LISTED, line, strict=True)))
        case Form.CSV:
            text = ",".join(map(str, line))
    print(text, flush=True)


class _Stop(threading.Event):
    """Set by a signal, and by which."""

    number: int | None = None


@contextmanager
def _stopped_by_signals(conn: Connection) -> Iterator[_Stop]:
    """Ctrl-C or SIGTERM sets the event, and ends a seal that waits for who writes."""
    stop = _Stop()

    def stopped(number: int, frame: FrameType | None) -> None:
        stop.number = number
        stop.set()
        conn.cancel_safe()

    before = {number: signal.signal(number, stopped) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
