"""The commands of `pgwallet`: what each takes, calls and prints."""

import sys
from datetime import UTC
from typing import Annotated

import psycopg
import typer

import pgwallet
from pgwallet import PgWalletError, deployment
from pgwallet.deployment import DeploymentError
from pgwallet.embedded import EmbeddedServerError
from pgwallet.errors import refusal

from .database import (
    BeforeCommand,
    DatabaseUrl,
    DatabaseUrlOrEmbedded,
    connected,
    currency_of,
    explained,
)
from .demo import run_demo
from .output import err, money, number, out, set_up, show, show_error, table, text
from .settle import REFUNDING, RELEASING, B, Settled, Settling, settle

INTERRUPTED = 130

app = typer.Typer(
    name="pgwallet",
    # Plain help, errors and tracebacks: they fit any terminal, and scripts can read them.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

AccountId = Annotated[int, typer.Argument(help="Id of an account: a wallet, pocket, project...")]
ProjectId = Annotated[int, typer.Argument(help="Id of the project.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Escrows settled in one transaction.")]


def run() -> None:
    """Runs the command line and exits, with a message instead of a traceback."""
    set_up()
    try:
        app(prog_name="pgwallet")
    except PgWalletError as error:
        show_error(str(error))
    except psycopg.Error as error:
        show_error(str(refusal(error) or explained(error)))
    except (DeploymentError, EmbeddedServerError, OSError) as error:
        show_error(str(error))
    sys.exit(1)


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(f"pgwallet {pgwallet.__version__}")
        raise typer.Exit


@app.callback()
def pgwallet_(
    database_url: BeforeCommand = "",
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Wallets, pockets and escrow as PostgreSQL functions.

    \b
    See it work, with nothing installed:   pgwallet demo
    Install it into a database:            pgwallet migrate --database-url postgresql:///shop

    Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted.
    """


@app.command()
def demo(database_url: DatabaseUrlOrEmbedded = "") -> None:
    """Show the main job: allocate a deposit, release 10,000 pledges.

    Without a database it runs on a server of its own, which is removed afterwards. An empty
    database gets pgwallet first; in one that has it, each run adds wallets and a project.

    \b
    Example:  pgwallet demo
    """
    code = run_demo(database_url)
    if code:
        raise typer.Exit(code)


@app.command()
def migrate(database_url: DatabaseUrl = "") -> None:
    """Install pgwallet into a database, or upgrade it there.

    \b
    Example:  pgwallet migrate --database-url postgresql://user@host/shop
    As a role that cannot log in itself, which is best:
      pgwallet migrate --database-url 'dbname=shop options=-crole=pgwallet_owner'
    """
    report = pgwallet.migrate(database_url)
    for name in report.applied:
        out.print(f"applied   {name}")
    for drift in report.mended:
        out.print(f"mended    {drift.signature} ({drift.what})")
    for signature in report.removed:
        out.print(f"removed   {signature}")
    if report.functions_installed:
        out.print("installed the functions")
    else:
        out.print("Nothing to do: the database is up to date.")


@app.command()
def status(
    database_url: DatabaseUrl = "",
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 unless everything is up to date.")
    ] = False,
) -> None:
    """Tell what a database lacks, or what was changed in it by hand.

    \b
    Example:  pgwallet status --check
    """
    found = pgwallet.status(database_url)
    for name in found.pending:
        out.print(f"pending   {name}")
    for name in found.unknown:
        out.print(f"unknown   {name} (from a newer pgwallet)")
    for drift in found.drift:
        out.print(f"drifted   {drift.signature} ({drift.what})")
    if found.functions_differ:
        out.print("differs   the functions are not those of this version")
    if found.up_to_date:
        out.print("The database is up to date.")
    else:
        out.print("The database is not up to date. To bring it there: pgwallet migrate")
        if check:
            raise typer.Exit(1)


@app.command()
def sql(
    functions: Annotated[
        bool, typer.Option("--functions", help="Only the functions, for a migrated database.")
    ] = False,
) -> None:
    """Print the whole installation as SQL for psql.

    \b
    Example:  pgwallet sql | psql --set ON_ERROR_STOP=1 shop
    """
    typer.echo(deployment.install_script(functions), nl=False)


@app.command()
def check(database_url: DatabaseUrl = "") -> None:
    """Look for broken invariants; exit with 1 when there are any.

    \b
    Example:  pgwallet check
    """
    with connected(database_url) as conn:
        violations = pgwallet.check_ledger(conn)
    if not violations:
        out.print("The ledger is sound: check_ledger found nothing.")
        return
    found = table(number("Invariant"), text("Subject"), text("Detail"))
    for violation in violations:
        found.add_row(str(violation.invariant), violation.subject, violation.detail)
    show(found)
    raise typer.Exit(1)


@app.command()
def balance(account_id: AccountId, database_url: DatabaseUrl = "") -> None:
    """Show what an account holds.

    \b
    Example:  pgwallet balance 20480
    """
    with connected(database_url) as conn:
        held = pgwallet.balance(conn, account_id)
        out.print(money(held, currency_of(conn, account_id)))


@app.command()
def statement(
    account_id: AccountId,
    after: Annotated[int, typer.Option(help="The last posting already seen.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="Postings to show at most.")] = 100,
    database_url: DatabaseUrl = "",
) -> None:
    """Show the postings of an account, oldest first.

    \b
    Example:  pgwallet statement 20480 --limit 20
    """
    with connected(database_url) as conn:
        rows = pgwallet.statement(conn, account_id, after, limit)
        currency = currency_of(conn, account_id)
    postings = table(
        number("Posting"),
        text("Recorded (UTC)"),
        text("Kind"),
        number("Counterpart"),
        number(f"Amount {currency or ''}".rstrip()),
        number("Balance"),
    )
    for row in rows:
        postings.add_row(
            str(row.posting_id),
            f"{row.created_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            row.kind,
            str(row.counterpart_id),
            money(row.amount, None),
            "" if row.balance is None else money(row.balance, None),
        )
    show(postings)
    if len(rows) == limit:
        out.print(f"There may be more: --after {rows[-1].posting_id}")


@app.command()
def release(
    project_id: ProjectId, batch_size: BatchSize = 1000, database_url: DatabaseUrl = ""
) -> None:
    """Close a project as succeeded and release all its escrows.

    Each batch is committed on its own. Ctrl-C stops after the batch under way, a second one
    breaks it off; run it again to go on.

    \b
    Example:  pgwallet release 10240 --batch-size 500
    """
    _settle(RELEASING, project_id, batch_size, database_url)


@app.command()
def refund(
    project_id: ProjectId, batch_size: BatchSize = 1000, database_url: DatabaseUrl = ""
) -> None:
    """Close a project as failed and give all its pledges back.

    Each batch is committed on its own. Ctrl-C stops after the batch under way, a second one
    breaks it off; run it again to go on.

    \b
    Example:  pgwallet refund 10240
    """
    _settle(REFUNDING, project_id, batch_size, database_url)


def _settle(settling: Settling[B], project_id: int, batch_size: int, database_url: str) -> None:
    def report(settled: Settled) -> None:
        totals = table(text("Project"), number(str(project_id)))
        totals.add_row(f"Escrows {settling.verb}", f"{settled.escrow_count:,}")
        for label, amount in zip(settling.labels, settled.amounts, strict=True):
            totals.add_row(label, money(amount, settled.currency))
        show(totals)

    with connected(database_url) as conn:
        settled = settle(conn, settling, project_id, batch_size, report)
    if settled.interrupted:
        err.print("Interrupted; what the table shows is committed. To go on, run it again.")
        raise typer.Exit(INTERRUPTED)
