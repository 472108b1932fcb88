"""The command `import`: deposits and pledges of a CSV file, all of them or none."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Annotated, cast

import psycopg
import typer
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from pgwallet._connection import Connection

from ..commands import INTERRUPTED, Session, group, on_database
from ..output import err, show_error
from ..records import Form
from .checks import BadLine, bad_lines, check, prepare, stage
from .lines import BadFile, Kind, Line, read_lines
from .posts import Imported, Refused, outstanding, post

importing = group()

_LONGEST_NAME = 100
# As many bad lines as somebody reads; --json and --csv have them all.
_SHOWN = 1000
_LINES_A_STEP = 1000


@on_database(importing, "import")
def import_(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file, or - for standard input.")],
    kind: Annotated[
        Kind | None, typer.Option(help="What all lines are, if there is no column kind.")
    ] = None,
    name: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Begins the keys of the lines. Default: the name of the file.",
            show_default=False,
        ),
    ] = "",
    create_wallets: Annotated[
        bool, typer.Option("--create-wallets", help="Open the wallets that owners lack.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, import nothing.")
    ] = False,
) -> None:
    """Import deposits and pledges from CSV, all or none.

    Columns: wallet_id, or owner_id and currency; amount; for pledges project_id or reference;
    kind (deposit or pledge), unless --kind says it; and idempotency_key, if lines have one.
    Run again, it imports only the lines that are new.

    \b
    Example:  pgwallet import march.csv --kind deposit --create-wallets
    """
    namespace = _namespace(file, name)
    try:
        totals = _import(session, file, kind, namespace, create_wallets, dry_run)
    except (BadFile, Refused) as error:
        show_error(f"{error}\nNothing was imported.")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        err.print("Interrupted; nothing was imported.")
        raise typer.Exit(INTERRUPTED) from None
    session.show_rows(Imported, totals)
    replayed = sum(total.replayed for total in totals)
    if replayed:
        session.say(f"Imported before, under the name {namespace} or by key: {replayed:,}.")
    if dry_run:
        session.say("This was a dry run: the table says what would be imported.")


def _namespace(file: str, name: str) -> str:
    if not name and file == "-":
        raise typer.BadParameter("standard input has no name; give one with --name")
    name = name or Path(file).name
    if not name.isprintable() or not name.strip() or len(name) > _LONGEST_NAME:
        raise typer.BadParameter(
            f"the name must be 1 to {_LONGEST_NAME} printable characters; give one with --name"
        )
    return name


def _import(
    session: Session,
    file: str,
    kind: Kind | None,
    name: str,
    create_wallets: bool,
    dry_run: bool,
) -> list[Imported]:
    conn = session.conn
    totals: list[Imported] = []
    with _opened(file) as source, _progress() as bar, _all_or_nothing(conn):
        prepare(conn)
        task = bar.add_task("Reading", total=None)
        with closing(read_lines(source, kind)) as lines:
            count = stage(conn, _shown(lines, source, bar, task))
        bar.remove_task(task)
        task = bar.add_task("Checking", total=None)
        if check(conn, name, create_wallets):
            bar.stop()
            _report(session, bad_lines(conn), count)
            raise typer.Exit(1)
        totals = outstanding(conn)
        if dry_run:
            raise psycopg.Rollback
        expected = sum(total.imported for total in totals)
        bar.update(task, description="Importing", completed=0, total=expected)
        return post(conn, lambda lines: bar.advance(task, lines))
    return totals


@contextmanager
def _opened(file: str) -> Iterator[BufferedReader]:
    if file == "-":
        yield cast(BufferedReader, sys.stdin.buffer)
    else:
        with Path(file).open("rb") as source:
            yield source


@contextmanager
def _all_or_nothing(conn: Connection) -> Iterator[None]:
    """A transaction that Ctrl-C breaks off at any time, but for its commit.

    Once that is under way only its answer tells how it ended, so it is waited for.
    """
    before = signal.getsignal(signal.SIGINT)
    try:
        with conn.transaction():
            yield
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    finally:
        signal.signal(signal.SIGINT, before)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )


def _shown(
    lines: Iterator[Line], source: BufferedReader, bar: Progress, task: TaskID
) -> Iterator[Line]:
    """The same lines; meanwhile the bar follows how much of the file was read."""
    size = os.fstat(source.fileno()).st_size if source.seekable() else 0
    bar.update(task, total=size or None)
    for line in lines:
        if size and line.number % _LINES_A_STEP == 0:
            bar.update(task, completed=source.tell())
        yield line


def _report(session: Session, bad: list[BadLine], count: int) -> None:
    few = bad if session.form is not Form.TABLE else bad[:_SHOWN]
    session.show_rows(BadLine, few)
    if len(few) < len(bad):
        session.say(f"... and {len(bad) - len(few):,} more; --csv and --json show them all.")
    message = f"{len(bad):,} of {count:,} lines cannot be imported. Nothing was imported."
    if any(line.reason.startswith("owner ") for line in bad):
        message += "\nHINT: If these owners are new, --create-wallets opens their wallets."
    show_error(message)
