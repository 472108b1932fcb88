"""Commands that install pgwallet into a database, compare the two, and give rights."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer
from psycopg import sql as query

import pgwallet
from pgwallet._parameters import as_text
from pgwallet.deployment import Status, install_script
from pgwallet.deployment.drift import MIGRATE

from .commands import NOT_LOOKED, Command, Session, group, on_database
from .database import DatabaseUrl, connected
from .output import harmless, out, show_error
from .records import Form

deploying = group()

_LATER = "use the version that made it, or a later one"


class Access(StrEnum):
    """What a role may be given."""

    APP = "app"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    MONITOR = "monitor"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the database is not as this version would leave it."""

    what: str
    kind: str
    name: str
    detail: str
    remedy: str

    def __str__(self) -> str:
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.what:<8}  {self.kind} {self.name}{detail}"


@deploying.command()
def migrate(
    downgrade: Annotated[
        bool, typer.Option("--downgrade", help="Go back, where a newer version was installed.")
    ] = False,
    wait: Annotated[
        float,
        typer.Option(
            "--wait", metavar="SECONDS", min=0, help="How long to wait for locks of others."
        ),
    ] = 60.0,
    database_url: DatabaseUrl = "",
) -> None:
    """Install pgwallet into a database, or upgrade it there.

    \b
    Example:  pgwallet migrate --database-url postgresql://user@host/shop
    As a role that cannot log in itself, which is best:
      pgwallet migrate --database-url 'dbname=shop options=-crole=pgwallet_owner'
    """
    if _is_shard(database_url):
        show_error(
            "This database is a shard of a cluster, which is migrated as a whole: routers call "
            "functions that are made from those here.\nHINT: Run pgwallet cluster migrate FILE"
        )
        raise typer.Exit(1)
    report = pgwallet.migrate(database_url, downgrade=downgrade, wait=wait)
    for name in report.applied:
        out.print(f"applied   {name}")
    for drift in report.mended:
        out.print(f"mended    {harmless(drift.name)} ({drift.what})")
    for signature in report.removed:
        out.print(f"removed   {signature}")
    if report.functions_installed:
        out.print("installed the functions")
    else:
        out.print("Nothing to do: the database is up to date.")


@on_database(deploying, calls="show_deployment", fails_with=NOT_LOOKED)
def status(
    session: Session,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 unless everything is up to date.")
    ] = False,
) -> None:
    """Tell in what a database is not as this version has it.

    It compares functions, tables, columns, constraints, indexes, triggers, sequences, views, owners
    and rights, changes nothing, and waits for nobody. Any role with an access may run it.

    Exit codes: 0 compared, and with --check all is well; 1 with --check, something differs; 3 it
    could not look: the server was not reached, the role may not, somebody changes a table.

    \b
    Example:  pgwallet status --check
    """
    found = pgwallet.status(session.conninfo)
    differences = list(_differences(found))
    if session.form is not Form.TABLE:
        session.show_rows(Difference, differences)
    for each in differences:
        session.say(harmless(str(each)))
    if _is_shard(session.conninfo):
        session.say("It is a shard of a cluster; for all of that: pgwallet cluster status FILE")
    if found.up_to_date:
        session.say("The database is up to date.")
    elif found.newer:
        session.say(
            f"The database is newer than this pgwallet {pgwallet.__version__}. Look with the "
            f"version that was installed there, {found.version}, or a later one"
        )
    elif found.needs_migrate:
        session.say("The database is not up to date. To bring it there: pgwallet migrate")
    remedies = dict.fromkeys(d.remedy for d in found.drift if not d.is_mended_by_migrate)
    if remedies:
        session.say("What migrate does not mend, the owner or a superuser does:")
        for remedy in remedies:
            session.say(harmless(remedy))
    if check and not found.up_to_date:
        raise typer.Exit(1)


def _is_shard(conninfo: str) -> bool:
    with connected(conninfo) as conn:
        row = conn.execute("select to_regclass('pgwallet_shard.identity') is not null").fetchone()
    return row == (True,)


def _differences(found: Status) -> Iterator[Difference]:
    for name in found.pending:
        yield Difference("pending", "migration", name, "", MIGRATE)
    for name in found.unknown:
        yield Difference("unknown", "migration", name, "of a newer pgwallet", _LATER)
    if found.newer:
        detail = f"newer than this version, {pgwallet.__version__}"
        yield Difference("newer", "version", f"pgwallet {found.version}", detail, _LATER)
    elif found.functions_differ:
        yield Difference("differs", "function", "all", "not those of this version", MIGRATE)
    for drift in found.drift:
        yield Difference(drift.what, drift.kind, drift.name, drift.detail, drift.remedy)


@deploying.command()
def sql(
    functions: Annotated[
        bool, typer.Option("--functions", help="Only the functions, for a migrated database.")
    ] = False,
) -> None:
    """Print the whole installation as SQL for psql.

    It stops at the first error, with nothing installed, and warns of an owner that is a superuser.

    \b
    Example:  pgwallet sql | psql shop
    """
    typer.echo(install_script(functions), nl=False)


@deploying.command(cls=Command)
def grant(
    access: Annotated[
        Access, typer.Argument(metavar="ACCESS", help="app, operator, auditor or monitor.")
    ],
    role: Annotated[str, typer.Argument(metavar="ROLE", help="Name of a role that exists.")],
    database_url: DatabaseUrl = "",
) -> None:
    """Give a role what it needs; as the owner of pgwallet.

    The role keeps it after every deployment.

    An app has wallets, pockets, deposits, withdrawals, allocation, pledges and new projects; an
    operator has these, and closes, releases, refunds, pays out and checks; an auditor reads and
    checks; a monitor has counts and sums of the whole ledger.

    \b
    Example:  pgwallet grant app shop
    """
    call = query.SQL("select pgwallet.{}(%s)").format(query.Identifier(f"grant_{access}"))
    with connected(database_url) as conn:
        conn.execute(call, [as_text("role", role)])
    out.print(f"Role {harmless(role)} has the rights of {access}, now and after each deployment.")
