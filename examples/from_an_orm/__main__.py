"""The command line: check, move, compare."""

import argparse
import os
import sys
from collections.abc import Sequence

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import pgwallet

from . import books, comparing, ledger, old, problems, tables
from .moving import Moved, Mover
from .naming import Naming


class Refused(Exception):
    """Nothing can move; the message says why and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 when each cent is where it was, 1 when not or when refused, 130 for Ctrl-C."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if not given.to:
        parser.error("--to is missing: give it, or set PGWALLET_DATABASE_URL")
    if given.batch_size < 1:
        parser.error("--batch-size must be at least 1")
    out, err = (
        Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)
        for stderr in (False, True)
    )
    if not out.is_terminal and "COLUMNS" not in os.environ:
        out.width = 160  # wide enough for all figures in a file
    try:
        names = old.named(given.app_label, given.name)
    except old.UnknownName as error:
        parser.error(str(error))
    try:
        with (
            psycopg.connect(given.to, autocommit=True) as new_conn,
            old.opened(given.source_conninfo or given.to, names) as old_conn,
        ):
            return _run(given, old_conn, new_conn, out, err)
    except (psycopg.Error, pgwallet.PgWalletError, Refused) as error:
        print(str(error).strip(), file=sys.stderr)
        if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
            print("HINT: Give the old tables their names: --app-label, --name.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. What has moved stays; the same command goes on.", file=sys.stderr)
        return 130


def _run(
    given: argparse.Namespace,
    old_conn: old.Connection,
    new_conn: old.Connection,
    out: Console,
    err: Console,
) -> int:
    naming = Naming(
        given.currency, given.source, given.owner_prefix, given.project_prefix, given.platform
    )
    only = sorted(set(given.wallet)) or None
    exponent = _exponent(new_conn, naming.currency)
    if only is not None and (unknown := old.unknown(old_conn, only)):
        raise Refused(f"There is no old wallet {', '.join(map(str, unknown))}.")

    refused = problems.of_old_rows(old_conn, only, naming, exponent)
    refused += problems.of_projects(old_conn, new_conn, only, naming)
    findings = books.findings(old_conn, only)
    if findings:
        tables.show_findings(out, findings, exponent)
    else:
        out.print("The old transactions explain every balance.")
    if refused:
        tables.show_problems(out, refused)
        out.print("Nothing was moved: mend these rows, then run it again.")
        return 1
    if findings and given.strict:
        out.print("Nothing was moved: --strict asks for balances that are explained.")
        return 1
    if given.check:
        out.print("Every row can move. Nothing was moved: --check only looks.")
        return 0

    before = ledger.last_transaction_id(new_conn)
    wallets = old.count(old_conn) if only is None else len(only)
    comparison = comparing.totals(old_conn, only)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        disable=not err.is_terminal,
    ) as progress:
        moved = _move(given, naming, only, old_conn, new_conn, progress, wallets)
        task = progress.add_task("wallets compared", total=wallets)
        for ids in old.batches(old_conn, only, given.batch_size):
            comparing.compare(comparison, old_conn, new_conn, ids, naming)
            progress.advance(task, len(ids))
    out.print(_said(moved, wallets, naming.currency))
    tables.show_comparison(out, comparison, naming.currency, exponent)

    # All of the ledger, but after some wallets only what they brought: it may be large by now.
    violations = pgwallet.check_ledger(new_conn, 0 if only is None else before)
    for violation in violations:
        out.print(f"check_ledger: {violation.invariant}: {violation.subject}: {violation.detail}")
    if comparison.agrees and not violations:
        out.print("They agree to the last unit, row by row, and check_ledger finds nothing.")
        return 0
    if not comparison.agrees:
        tables.show_differences(out, comparison, exponent)
        out.print("They differ. Did an old row change after it had moved?")
    return 1


def _move(
    given: argparse.Namespace,
    naming: Naming,
    only: list[int] | None,
    old_conn: old.Connection,
    new_conn: old.Connection,
    progress: Progress,
    wallets: int,
) -> Moved:
    total = Moved()
    analyze_at = 1  # and whenever twice as much has moved
    task = progress.add_task("wallets moved", total=wallets)
    mover = Mover(old_conn, new_conn, naming, given.history)
    for ids in old.batches(old_conn, only, given.batch_size):
        total += mover.move(ids)
        progress.advance(task, len(ids))
        if only is None and total.wallets >= analyze_at:
            ledger.analyze(new_conn)
            analyze_at = 2 * total.wallets
    return total


def _exponent(new_conn: old.Connection, currency: str) -> int:
    try:
        exponent = ledger.exponent(new_conn, currency)
    except psycopg.errors.UndefinedTable:
        raise Refused("pgwallet is not in the new database: pgwallet migrate") from None
    if exponent is None:
        raise Refused(f"The ledger knows no currency {currency}.")
    return exponent


def _said(moved: Moved, wallets: int, currency: str) -> str:
    if moved.wallets == 0:
        return f"Nothing was left to move. Wallets moved before: {wallets:,}."
    return (
        f"Moved: {moved.amount:,f} {currency} in {_counted(moved.wallets, 'wallet')}, "
        f"{_counted(moved.pockets, 'pocket')} and {_counted(moved.escrows, 'locked escrow')}.\n"
        f"Wallets moved before: {wallets - moved.wallets:,}."
    )


def _counted(number: int, name: str) -> str:
    return f"{number:,} {name}" if number == 1 else f"{number:,} {name}s"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.from_an_orm",
        description="Move the wallets of an ORM's four tables into pgwallet.",
    )
    add = parser.add_argument
    add("--from", dest="source_conninfo", metavar="CONNINFO", help="old database, else as --to")
    add(
        "--to",
        metavar="CONNINFO",
        default=os.environ.get("PGWALLET_DATABASE_URL"),
        help="the ledger's database, as its owner; default: PGWALLET_DATABASE_URL",
    )
    add("--check", action="store_true", help="list what is wrong with the old rows, move nothing")
    add("--strict", action="store_true", help="refuse balances that no transaction explains")
    add(
        "--wallet",
        type=int,
        action="append",
        default=[],
        metavar="ID",
        help="move only this old wallet; can be repeated",
    )
    add(
        "--history",
        action="store_true",
        help="keep each old transaction as metadata, not only their counts and sums",
    )
    add("--app-label", default="wallet", metavar="LABEL", help="first part of the tables' names")
    add(
        "--name",
        action="append",
        default=[],
        metavar="NAME=YOURS",
        help="a table (userwallet=accounts) or column (userwallet.user_id=owner) named otherwise",
    )
    add("--currency", default="EUR", metavar="CODE")
    add("--source", default="from-orm", metavar="TEXT", help="begins each idempotency key")
    add("--owner-prefix", default="user-", metavar="TEXT", help="user 7 becomes owner user-7")
    add("--project-prefix", default="project-", metavar="TEXT", help="the same for projects")
    add(
        "--platform", default="platform", metavar="OWNER", help="owner of the wallet without a user"
    )
    add("--batch-size", type=int, default=1000, metavar="N", help="wallets in one transaction")
    return parser


if __name__ == "__main__":
    sys.exit(main())
