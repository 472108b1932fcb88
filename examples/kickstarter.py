"""Replays crowdfunding campaigns from a CSV file and proves that every unit is accounted for.

    python examples/kickstarter.py FILE [--limit N] [--database-url URL]

The file has the columns id, category, currency, goal, pledged, state, backers, launched and
deadline; --limit stops after so many campaigns. Each campaign with a backer becomes a project,
and `backers` pledges that sum exactly to `pledged`, from wallets that were funded with exactly
what they pledge. Successful campaigns release, failed, canceled and suspended ones refund, live
and undefined ones stay locked. Where `pledged` has fewer units of the currency than there are
backers, the last backers have nothing to pledge, and there are only as many pledges as units.

In the end a table says where the money went. It is worked out twice, from the file alone and
from what the database has posted; the exit code is 1 when the two differ, check_ledger finds
anything, or the database refuses to take part. 2 means a bad command line or file.

Without --database-url or PGWALLET_DATABASE_URL it runs on a temporary embedded server; otherwise
it first brings that database up to date (the role must own its pgwallet, as the one that reads
the tables). Idempotency keys make it repeatable: run again, even after it was killed half-way,
it moves only what is still missing. Memory holds one chunk of a campaign and the ids of the
wallets, of which there are only as many as the largest campaign of each currency has backers.

Needs pip install 'pgwallet[all]'.
"""

import argparse
import csv
import logging
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import astuple, dataclass, fields
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from itertools import islice
from pathlib import Path

import psycopg
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

import pgwallet
from pgwallet import embedded
from pgwallet.deployment import DeploymentError

# Elements of one deposit_many or pledge_many: larger chunks are no faster, but need more memory.
CHUNK = 5000

# Given to each project, so that the result does not depend on the database's settings.
COMMISSION_RATE = Decimal("0.05")
FEE_RATE = Decimal("0.029")

RELEASED = ("successful",)
REFUNDED = ("failed", "canceled", "suspended")
LOCKED = ("live", "undefined")

# ISO 4217; all others have two decimals.
EXPONENTS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


class BadFile(Exception):
    """A row of the file cannot be read; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign with backers; `pledges` of them have something to pledge."""

    reference: str
    currency: str
    state: str
    pledged: Decimal
    pledges: int
    unit: Decimal

    def amount(self, k: int) -> Decimal:
        """What backer k (from 1) pledges: an even share, the first ones a unit more."""
        share, extra = divmod(int(self.pledged / self.unit), self.pledges)
        return (share + (k <= extra)) * self.unit


@dataclass(slots=True)
class Totals:
    """A row of the table: what became of the pledges in one currency."""

    campaigns: int = 0
    pledges: int = 0
    pledged: Decimal = Decimal(0)
    released: Decimal = Decimal(0)
    commission: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    net: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    locked: Decimal = Decimal(0)


def campaigns(file: Path, limit: int | None) -> Iterator[Campaign]:
    """Reads the first `limit` campaigns of the file, and passes over those without a backer."""
    with file.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        for row in islice(reader, limit):
            try:
                campaign = _campaign(row)
            except BadFile as error:
                raise BadFile(f"{file}, line {reader.line_num}: {error}") from None
            if campaign is not None:
                yield campaign


def _campaign(row: dict[str, str | None]) -> Campaign | None:
    backers = _field(row, "backers")
    if not backers.isdecimal():
        raise BadFile(f"{backers} is no number of backers")
    if int(backers) == 0:
        return None
    state = _field(row, "state")
    if state not in (*RELEASED, *REFUNDED, *LOCKED):
        raise BadFile(f"unknown state {state}")
    currency = _field(row, "currency")
    unit = Decimal(1).scaleb(-EXPONENTS.get(currency, 2))
    pledged = _field(row, "pledged")
    try:
        units = Decimal(pledged) / unit
        if units < 0 or units != int(units):
            raise InvalidOperation
    except (ArithmeticError, ValueError):
        raise BadFile(f"{pledged} is no amount of {currency}") from None
    return Campaign(
        reference=f"kickstarter-{_field(row, 'id')}",
        currency=currency,
        state=state,
        pledged=Decimal(pledged),
        pledges=min(int(backers), int(units)),
        unit=unit,
    )


def _field(row: dict[str, str | None], name: str) -> str:
    value = row.get(name)
    if value is None:
        raise BadFile(f"it has no {name}")
    return value


def expected(file: Path, limit: int | None) -> dict[str, Totals]:
    """Works the table out from the file alone, with none of the ledger's code."""
    table: dict[str, Totals] = defaultdict(Totals)
    for campaign in campaigns(file, limit):
        totals = table[campaign.currency]
        totals.campaigns += 1
        totals.pledges += campaign.pledges
        totals.pledged += campaign.pledged
        if campaign.state in REFUNDED:
            totals.refunded += campaign.pledged
        elif campaign.state in LOCKED:
            totals.locked += campaign.pledged
        else:
            # Rounded for each pledge, as the ledger does it, so a total of pledges will not do.
            for k in range(1, campaign.pledges + 1):
                amount = campaign.amount(k)
                commission = _round(amount * COMMISSION_RATE, campaign.unit)
                fee = min(amount - commission, _round(amount * FEE_RATE, campaign.unit))
                totals.released += amount
                totals.commission += commission
                totals.fees += fee
                totals.net += amount - commission - fee
    return dict(table)


def _round(amount: Decimal, unit: Decimal) -> Decimal:
    return amount.quantize(unit, rounding=ROUND_HALF_UP)


def actual(conn: psycopg.Connection) -> dict[str, Totals]:
    """Reads the table from the postings into and out of the replayed projects' escrow accounts."""
    rows = conn.execute(
        """
        with flow as (
          select p.destination_account_id as escrow_account_id, null as target_id, p.amount
          from pgwallet.posting as p
          union all
          select p.source_account_id, p.destination_account_id, p.amount
          from pgwallet.posting as p
        ),
        total as (
          select
            j.currency,
            count(distinct j.project_id) as campaigns,
            count(f.amount) filter (where f.target_id is null) as pledges,
            coalesce(sum(f.amount) filter (where f.target_id is null), 0) as pledged,
            coalesce(sum(f.amount) filter (where f.target_id = c.commission_account_id), 0)
              as commission,
            coalesce(sum(f.amount) filter (where f.target_id = c.fee_account_id), 0) as fees,
            coalesce(sum(f.amount) filter (where f.target_id = j.project_id), 0) as net,
            coalesce(sum(f.amount) filter (where f.target_id not in (
              c.commission_account_id, c.fee_account_id, j.project_id
            )), 0) as refunded
          from replayed as r
          inner join pgwallet.project as j on j.project_id = r.project_id
          inner join pgwallet.currency as c on c.currency = j.currency
          left join flow as f on f.escrow_account_id = j.escrow_account_id
          group by j.currency
        )
        select
          t.currency, t.campaigns, t.pledges, t.pledged, t.commission + t.fees + t.net,
          t.commission, t.fees, t.net, t.refunded,
          t.pledged - t.commission - t.fees - t.net - t.refunded
        from total as t
        """
    )
    return {currency: Totals(*totals) for currency, *totals in rows}


class Replay:
    """Moves the money of campaigns, one after the other, each committed on its own."""

    def __init__(self, conn: psycopg.Connection, progress: Progress, pledges: int) -> None:
        self._conn = conn
        self._progress = progress
        self._task = progress.add_task("pledges", total=pledges)
        # Ids of the wallets backer-<currency>-1, -2, ... for each currency.
        self._wallets: dict[str, list[int]] = defaultdict(list)
        self._pledges = 0
        self._analyze_at = 1000
        conn.execute("create temporary table replayed (project_id bigint not null)")

    def pledge(self, campaign: Campaign) -> int:
        """Makes the project with all its pledges, or none of it; returns the project's id."""
        with self._conn.transaction():
            project_id = pgwallet.create_project(
                self._conn,
                campaign.reference,
                campaign.currency,
                COMMISSION_RATE,
                FEE_RATE,
                max_pledge=campaign.amount(1) if campaign.pledges else None,
            ).project_id
            self._conn.execute("insert into replayed values (%s)", (project_id,))
            for first in range(1, campaign.pledges + 1, CHUNK):
                backers = range(first, min(first + CHUNK, campaign.pledges + 1))
                self._pledge(campaign, project_id, backers)
                self._progress.advance(self._task, len(backers))
        self._pledges += campaign.pledges
        self._analyze()
        return project_id

    def _analyze(self) -> None:
        """Has the tables counted whenever they may have doubled.

        A connection keeps the plans it made while the tables were empty, and reads them whole,
        until they are analyzed. Autovacuum does that too, but only from the second minute on.
        """
        if self._pledges >= self._analyze_at:
            self._conn.execute(
                """
                analyze pgwallet.account, pgwallet.wallet, pgwallet.project, pgwallet.escrow,
                  pgwallet.transaction, pgwallet.posting
                """
            )
            self._analyze_at = 2 * self._pledges

    def settle(self, campaign: Campaign, project_id: int) -> None:
        """Releases or refunds what the campaign's backers have pledged, in batches."""
        if campaign.state in RELEASED:
            for _ in pgwallet.release_project(self._conn, project_id, CHUNK):
                pass
        elif campaign.state in REFUNDED:
            for _ in pgwallet.refund_project(self._conn, project_id, CHUNK):
                pass

    def _pledge(self, campaign: Campaign, project_id: int, backers: range) -> None:
        wallet_ids = self._wallet_ids(campaign.currency, backers)
        amounts = [campaign.amount(k) for k in backers]
        names = [f"{campaign.reference}-{k}" for k in backers]
        deposit_keys = [f"deposit-{name}" for name in names]
        pledge_keys = [f"pledge-{name}" for name in names]
        pgwallet.deposit_many(self._conn, wallet_ids, amounts, deposit_keys)
        pgwallet.pledge_many(self._conn, project_id, wallet_ids, amounts, pledge_keys)

    def _wallet_ids(self, currency: str, backers: range) -> list[int]:
        """The backers' wallets; those beyond the largest campaign so far are made first."""
        wallets = self._wallets[currency]
        made = self._conn.execute(
            """
            select w.wallet_id
            from generate_series(%(first)s::bigint, %(last)s) as k
            cross join lateral pgwallet.create_wallet(
              p_owner_id => 'backer-' || %(currency)s || '-' || k, p_currency => %(currency)s
            ) as w
            order by k
            """,
            {"first": len(wallets) + 1, "last": backers.stop - 1, "currency": currency},
        )
        wallets.extend(wallet_id for (wallet_id,) in made)
        return wallets[backers.start - 1 : backers.stop - 1]


def show(title: str, table: dict[str, Totals]) -> None:
    shown = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1))
    shown.add_column("currency")
    for field in fields(Totals):
        shown.add_column(field.name, justify="right")
    for currency, totals in sorted(table.items()):
        shown.add_row(currency, *(f"{value:,}" if value else "-" for value in astuple(totals)))
    # Wide enough for all figures, however narrow the terminal is.
    Console(width=160).print(shown)


def replay(console: Console, file: Path, limit: int | None, conninfo: str) -> int:
    """Replays the file on a database, prints the table, and returns the exit code."""
    foreseen = expected(file, limit)
    pgwallet.migrate(conninfo)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
    pledges = sum(totals.pledges for totals in foreseen.values())
    started = time.monotonic()
    with psycopg.connect(conninfo, autocommit=True) as conn:
        with progress:
            run = Replay(conn, progress, pledges)
            for campaign in campaigns(file, limit):
                run.settle(campaign, run.pledge(campaign))
        seconds = time.monotonic() - started
        console.print(f"{pledges:,} pledges in {seconds:.0f} s, {pledges / seconds:,.0f} a second")
        found = actual(conn)
        violations = pgwallet.check_ledger(conn)
    show("What the database has posted", found)
    if found != foreseen:
        show("What the file says", foreseen)
        console.print("The two tables differ.")
    for violation in violations:
        console.print(
            f"check_ledger: {violation.invariant}: {violation.subject}: {violation.detail}"
        )
    if found == foreseen and not violations:
        console.print("The file says the same, and check_ledger finds nothing.")
        return 0
    return 1


def main() -> int:
    parser = argparse.ArgumentParser(description="Replay crowdfunding campaigns from a CSV file.")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--limit", type=int, metavar="N", help="read only the first N campaigns")
    parser.add_argument(
        "--database-url",
        default=os.environ.get("PGWALLET_DATABASE_URL"),
        metavar="URL",
        help="default: PGWALLET_DATABASE_URL, else a temporary embedded server",
    )
    arguments = parser.parse_args()
    if arguments.limit is not None and arguments.limit < 1:
        parser.error("--limit must be at least 1")
    with ExitStack() as stack:
        conninfo = arguments.database_url
        if not conninfo:
            # A superuser owns what lasts as long as this program: nothing to warn of.
            logging.getLogger("pgwallet").setLevel(logging.ERROR)
            conninfo = stack.enter_context(embedded.start()).conninfo
        try:
            return replay(Console(), arguments.file, arguments.limit, conninfo)
        except (BadFile, OSError) as error:
            parser.error(str(error))
        except (pgwallet.PgWalletError, DeploymentError, psycopg.Error) as error:
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            stopped = "Stopped."
            if arguments.database_url:
                stopped += " What was replayed stays; the same command goes on."
            print(stopped, file=sys.stderr)
            return 130


if __name__ == "__main__":
    sys.exit(main())
