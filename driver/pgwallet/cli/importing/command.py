"""The command `import`: deposits, withdrawals and pledges of a CSV file, all of them or none."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
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
from pgwallet.deployment.comparing import is_router

from ..commands import INTERRUPTED, Session, group, on_database
from ..failures import told
from ..output import err, show_error
from ..records import Form
from .checks import STEPS, BadLine, Reason, bad_lines, check, prepare, reasons, stage
from .lines import BadFile, Kind, Line, read_lines
from .posts import Imported, Refused, outstanding, post

importing = group()

_LONGEST_NAME = 100
# Of each reason as many lines as somebody reads; --json and --csv have them all.
_EXAMPLES = 3
_LINES_A_STEP = 1000
# New wallets are told in words, where the table has no room.
_TOTALS = ("kind", "currency", "imported", "replayed", "amount", "amount_replayed")


# On the router of a cluster, where each call commits on its shard.
_KEPT = (
    "Lines that were imported before that are kept.\n"
    "HINT: The same command with --again goes on: no line is imported a second time."
)

_UNKNOWN = (
    "All of it was imported or nothing.\n"
    "HINT: Run the same command again: no line is imported a second time."
)


class PartlyKnown(Exception):
    """Some lines of the file were imported before, others not; the message counts both."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be imported, and how."""

    file: str
    kind: Kind | None
    namespace: str
    ignored: tuple[str, ...]
    create_wallets: bool
    again: bool
    dry_run: bool


@on_database(importing, "import", calls="close_project")
def import_(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file, or - for standard input.")],
    kind: Annotated[
        Kind | None,
        typer.Option(
            metavar="KIND",
            help="deposit, withdrawal or pledge: what all lines are, without a column kind.",
        ),
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
    ignore_columns: Annotated[
        str,
        typer.Option(
            metavar="NAMES", help="Columns to leave out, with commas between.", show_default=False
        ),
    ] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Some lines were imported before: import the others.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, import nothing.")
    ] = False,
) -> None:
    """Import deposits, withdrawals and pledges, all or none.

    On the router of a cluster lines are kept as they are imported; --again goes on after a failure.
    There --dry-run opens no wallets: what is opened stays.

    Columns: kind (deposit, pledge or withdrawal), unless --kind says it; wallet_id, or owner_id and
    currency; amount; for pledges project_id or reference, and expires_at; idempotency_key,
    effective_at and metadata, if lines have them. No line is imported a second time.

    \b
    Example:  pgwallet import march.csv --kind deposit --create-wallets
    """
    ignored = tuple(part.strip() for part in ignore_columns.split(",")) if ignore_columns else ()
    namespace = _namespace(file, name)
    wanted = _Wanted(file, kind, namespace, ignored, create_wallets, again, dry_run)
    on_router = is_router(session.conn)
    if on_router and dry_run and create_wallets:
        raise typer.BadParameter(
            "on the router of a cluster wallets that were opened stay; leave out --create-wallets"
        )
    left = _KEPT if on_router else "Nothing was imported."
    try:
        totals = _import(session, wanted, on_router)
    except PartlyKnown as error:
        show_error(
            f"{error}. Nothing was imported.\n"
            "HINT: If the new ones were added to this file since, say --again. If it is another "
            "file, give it a name of its own with --name."
        )
        raise typer.Exit(1) from None
    except BadFile as error:
        show_error(f"{error}\nNothing was imported.")
        raise typer.Exit(1) from None
    except Refused as error:
        show_error(f"{error}\n{left}")
        raise typer.Exit(1) from None
    except psycopg.OperationalError as error:
        # Without an answer to its commit nobody knows how it ended.
        is_unknown = session.conn.broken and not on_router
        show_error(f"{told(error)}\n{_UNKNOWN if is_unknown else left}")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        err.print(f"Interrupted. {_KEPT}" if on_router else "Interrupted; nothing was imported.")
        raise typer.Exit(INTERRUPTED) from None
    session.show_rows(Imported, totals, in_table=_TOTALS)
    opened = sum(total.wallets_opened for total in totals)
    if opened:
        wallets = f"{opened:,} wallet{'' if opened == 1 else 's'}"
        session.say(f"It would open {wallets}." if dry_run else f"Opened {wallets}.")
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


def _import(session: Session, wanted: _Wanted, on_router: bool) -> list[Imported]:
    conn = session.conn
    totals: list[Imported] = []
    with _opened(wanted.file) as source, _progress() as bar, _all_or_nothing(conn):
        prepare(conn)
        if on_router:
            conn.execute("set local pgwallet.separate_commits = on")
        task = bar.add_task("Reading", total=None)
        with closing(read_lines(source, wanted.kind, wanted.ignored)) as lines:
            count = stage(conn, _shown(lines, source, bar, task))
        bar.remove_task(task)
        task = bar.add_task("Checking", total=STEPS)

        def step(what: str) -> None:
            bar.update(task, description=f"Checking {what}")
            bar.refresh()
            bar.advance(task)

        if bad := check(conn, wanted.namespace, wanted.create_wallets, step):
            bar.stop()
            _report(session, bad, count)
            raise typer.Exit(1)
        totals = outstanding(conn)
        expected = sum(total.imported for total in totals)
        known = sum(total.replayed for total in totals)
        if expected and known and not wanted.again:
            bar.stop()
            session.show_rows(Imported, totals, in_table=_TOTALS)
            raise PartlyKnown(_of_both(expected, known))
        if wanted.dry_run:
            raise psycopg.Rollback
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


def _of_both(new: int, known: int) -> str:
    """Why a file is refused that is neither new nor known."""
    return (
        f"{new:,} line{' is' if new == 1 else 's are'} new, "
        f"{known:,} {'was' if known == 1 else 'were'} imported before"
    )


def _report(session: Session, bad: int, count: int) -> None:
    found = reasons(session.conn)
    if session.form is Form.TABLE:
        session.show_rows(Reason, found)
        examples = bad_lines(session.conn, _EXAMPLES)
        session.show_rows(BadLine, examples)
        if len(examples) < bad:
            session.say(f"... and {bad - len(examples):,} more; --csv and --json show them all.")
    else:
        session.show_rows(BadLine, bad_lines(session.conn))
    message = f"{bad:,} of {count:,} lines cannot be imported. Nothing was imported."
    if any(reason.reason.startswith("owner ") for reason in found):
        message += "\nHINT: If these owners are new, --create-wallets opens their wallets."
    show_error(message)
