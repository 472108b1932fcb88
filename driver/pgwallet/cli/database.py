"""Which database a command works on, and the connection to it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, LiteralString

import psycopg
import typer
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from pgwallet._connection import Connection

from .rights import hint_of

VARIABLE = "PGWALLET_DATABASE_URL"
_EXAMPLE = "postgresql://user@host/database or 'host=... dbname=...'"
_HELP = f"The database: {_EXAMPLE}."

# With one of these libpq knows where to go by itself, as psql does.
_OF_LIBPQ = ("PGDATABASE", "PGSERVICE")

_HINTS = (
    (
        (errors.InvalidSchemaName,),
        "pgwallet is not installed in this database. Install it with: pgwallet migrate",
    ),
    (
        (errors.UndefinedFunction,),
        "This database has another version of pgwallet. Look with: pgwallet status",
    ),
    (
        (errors.UndefinedTable,),
        "pgwallet is not installed in this database, or another version of it is. "
        "Look with: pgwallet status",
    ),
)

# From libpq, before or instead of an answer of the server.
_UNREACHED = (
    f"Look at --database-url or {VARIABLE}, and whether the server runs. "
    "If only the database is missing, createdb makes it."
)


def _checked(value: str) -> str:
    """Refuses what is no connection string, without repeating it: it may hold a password."""
    try:
        value.encode()
        if "\0" not in value:
            conninfo_to_dict(value)
            return value
    except (psycopg.ProgrammingError, UnicodeEncodeError):
        pass
    raise typer.BadParameter(f"this is not a connection string such as {_EXAMPLE}")


def _remembered(ctx: typer.Context, value: str) -> str:
    ctx.obj = _checked(value)
    return value


def _given(ctx: typer.Context, value: str) -> str:
    return _checked(value) if value else str(ctx.obj or "")


def _of_command_line(ctx: typer.Context, value: str) -> str:
    """For what nobody wants in the database of an environment variable."""
    before = ctx.find_root().get_parameter_source("database_url")
    named = before is not None and before.name == "COMMANDLINE"
    return _given(ctx, value) if named else _checked(value)


def _required(ctx: typer.Context, value: str) -> str:
    given = _given(ctx, value)
    if not (given or ctx.resilient_parsing or any(map(os.environ.get, _OF_LIBPQ))):
        raise typer.BadParameter(
            f"no database is given; set this or {VARIABLE} to {_EXAMPLE}. "
            "To see pgwallet work without a database: pgwallet demo"
        )
    return given


def _option(callback: Callable[[typer.Context, str], str], more: str = "", **rest: Any) -> Any:
    return typer.Option(
        "--database-url",
        metavar="URL",
        callback=callback,
        help=f"{_HELP}{more}",
        show_default=False,
        **rest,
    )


# The same option before the command and after it; the latter wins.
BeforeCommand = Annotated[str, _option(_remembered, envvar=VARIABLE)]
DatabaseUrl = Annotated[str, _option(_required, f" Default: {VARIABLE}.")]
DatabaseUrlOfCommandLine = Annotated[
    str, _option(_of_command_line, f" Default: a server made for the demo, never {VARIABLE}.")
]


@contextmanager
def connected(conninfo: str) -> Iterator[Connection]:
    """A connection that begins no transaction on its own, as the batches need it.

    It prepares no statements: behind a pooler their names may stand for those of another client.
    """
    with psycopg.connect(
        conninfo,
        autocommit=True,
        client_encoding="utf8",
        fallback_application_name="pgwallet",
        prepare_threshold=None,
    ) as conn:
        yield conn


def explained(error: psycopg.Error) -> str:
    """A database error in lines, as psql shows it, with what to do where that is known."""
    diag = error.diag
    lines = [diag.message_primary or str(error).strip() or type(error).__name__]
    if diag.message_detail:
        lines.append(f"DETAIL: {diag.message_detail}")
    hint = diag.message_hint
    for kinds, known in _HINTS:
        if isinstance(error, kinds):
            hint = known
    if isinstance(error, errors.InsufficientPrivilege):
        hint = hint_of(error)
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
        hint = _UNREACHED
    if hint:
        lines.append(f"HINT: {hint}")
    return "\n".join(lines)


# Operators and auditors read views and no tables; an application reads neither. The log finds
# wallets, pockets and projects by what they received, along an index.
_CURRENCY = (
    "select a.currency from pgwallet.account as a where a.account_id = %(id)s",
    """
    select l.currency from pgwallet.transaction_log as l
    where l.destination_account_id = %(id)s and l.destination_balance is not null limit 1
    """,
)
_LOCKED = """
select count(*) from pgwallet.escrow_summary as e
where e.project_id = %(id)s and e.status = 'locked'
  and not (e.expired and e.project_status = 'succeeded')
"""


def currency_of(conn: Connection, account_id: int) -> str | None:
    """An account's currency, None for a role that may not read it."""
    for statement in _CURRENCY:
        found = _found(conn, statement, account_id)
        if found is not None:
            return str(found)
    return None


def locked_escrows(conn: Connection, project_id: int) -> int | None:
    """How many escrows of a project are to be settled, None for a role that may not count."""
    found = _found(conn, _LOCKED, project_id)
    return None if found is None else int(found)


def _found(conn: Connection, statement: LiteralString, searched: int) -> Any:
    """The only value of the first row, None without a row or without the right to read it.

    Nor on the router of a cluster, where there are no tables: what was called is done by now.
    """
    try:
        row = conn.execute(statement, {"id": searched}).fetchone()
    except (errors.InsufficientPrivilege, errors.UndefinedTable):
        return None
    return None if row is None else row[0]
