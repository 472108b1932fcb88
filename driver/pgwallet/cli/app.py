"""The program `pgwallet`: all its commands, and how it ends."""

import sys
from decimal import Context, localcontext
from typing import Annotated

import typer

import pgwallet

from .accounts import account
from .cluster import clustering
from .commands import group
from .completion import answer_shells, completing
from .currencies import currency
from .database import BeforeCommand, DatabaseUrlOfCommandLine
from .demo import run_demo
from .deployment import deploying
from .escrows import escrow, pledging
from .failures import FAILURES, told
from .following import feeding
from .importing.command import importing
from .ledger import reading, transaction
from .output import out, prepared, show_error
from .parameters import Yes
from .pockets import pocket, splitting
from .projects import earnings, project
from .psql import opening
from .recovering import recovering
from .sealing import sealing
from .wallets import money_in_and_out, wallet

app = group()

# With 15 digits before the point and 18 after it, Python would round sums of amounts to 28.
_EXACT = Context(prec=200)


def run() -> None:
    """Runs the command line and exits, with a message instead of a traceback."""
    answer_shells()
    with prepared(), localcontext(_EXACT):
        try:
            app(prog_name="pgwallet")
        except FAILURES as error:
            show_error(told(error))
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
    See it work, with nothing installed:  pgwallet demo
    Say once which database to use:       export PGWALLET_DATABASE_URL=...
    Install pgwallet into it:             pgwallet migrate

    Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted; of check
    and status: 1 not sound, 3 not looked.
    """


@app.command()
def demo(database_url: DatabaseUrlOfCommandLine = "", yes: Yes = False) -> None:
    """See it work: split a deposit, release 10,000 pledges.

    It runs on a server of its own, which is removed afterwards, whatever the environment says. With
    --database-url it runs there, after a question if that holds anything: what it adds stays.

    \b
    Example:  pgwallet demo
    """
    code = run_demo(database_url, yes)
    if code:
        raise typer.Exit(code)


# Without a name, the commands of a topic join those of the program.
app.add_typer(deploying)
app.add_typer(recovering)
app.add_typer(
    clustering, name="cluster", help="Make, check and change many databases as one ledger."
)
app.add_typer(currency, name="currency", help="Add currencies of your own, and list all.")
app.add_typer(wallet, name="wallet", help="Open wallets, look at them, close them.")
app.add_typer(pocket, name="pocket", help="Add pockets, list them, set shares, move money.")
app.add_typer(account, name="account", help="Freeze a wallet or a project, or give it credit.")
app.add_typer(money_in_and_out)
app.add_typer(splitting)
app.add_typer(pledging)
app.add_typer(escrow, name="escrow", help="Settle pledges one by one, or those that have expired.")
app.add_typer(project, name="project", help="Open, list, close and settle projects, pay out.")
app.add_typer(earnings)
app.add_typer(importing)
app.add_typer(reading)
app.add_typer(feeding)
app.add_typer(sealing)
app.add_typer(transaction, name="transaction", help="Look up what a call did, or take it back.")
app.add_typer(opening)
app.add_typer(completing)
