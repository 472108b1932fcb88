"""What each call costs here and in another checkout: both installed on one server, taking turns.

python -m bench.versions DIRECTORY

DIRECTORY is a checkout of another version, for example made by `git worktree add`. Counted is the
time of a processor that the server's process takes, which other work on the machine disturbs less
than the time on the clock. The two may hold other functions, but those below by the same names.
"""

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import count, cycle, islice
from pathlib import Path
from typing import LiteralString
from uuid import uuid4

import psycopg
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench import server

ROUNDS = 24
PLAIN, WIDE = 1_000, 10  # wallets without pockets, and with 100
MANY = 100  # elements of a bulk call, escrows of a batch
Parameters = list[object]
Arguments = Callable[["Ledger", int], Iterator[Parameters]]


class Ledger:
    """Wallets with money, some with 5 pockets and some with 100, and a project to pledge to."""

    def __init__(self, conninfo: str) -> None:
        self.conn = psycopg.connect(conninfo, autocommit=True, prepare_threshold=0)
        self.conn.execute("set synchronous_commit = off")
        self._backend = Path(f"/proc/{self.conn.info.backend_pid}/schedstat")
        self.plain = self._wallets(PLAIN, 0)
        self.savers = self._wallets(MANY, 5)
        self.wide = self._wallets(WIDE, 100)
        self._turn = count()
        self.pockets = self._ids(
            "select k.pocket_id from pgwallet.pocket as k where k.wallet_id = any (%s)",
            [self.savers],
        )
        self.project = self.new_project()
        self.conn.execute(  # something to pay out
            "select count(*) from unnest(%s::bigint[]) as e (id) "
            "cross join lateral pgwallet.release_escrow(e.id) as r",
            [self.escrow_of(self.project, 100)],
        )
        self.conn.execute("vacuum analyze")

    def new_project(self) -> int:
        name = f"project {uuid4()}"
        return self._ids("select project_id from pgwallet.create_project(%s)", [name])[0]

    def escrow_of(self, project: int, number: int) -> list[int]:
        """Ids of so many new pledges, in their order."""
        wallets = list(islice(cycle(self.plain), number))
        statement: LiteralString = (
            "select escrow_id from pgwallet.pledge_many(%s, %s, %s) order by escrow_id"
        )
        return self._ids(statement, [project, wallets, [10] * number])

    def batches(self, outcome: str, number: int) -> Iterator[Parameters]:
        """Each goes on where the one before it ended."""
        project = self.new_project()
        escrows = self.escrow_of(project, number * MANY)
        self.conn.execute("select pgwallet.close_project(%s, %s)", [project, outcome])
        for place in range(number):
            yield [project, MANY, escrows[place * MANY] - 1]

    def some(self, ids: list[int], number: int) -> Iterator[int]:
        """The next ones in turn, so that no call meets the same row as the one before."""
        start = next(self._turn) * 37
        return (ids[(start + n) % len(ids)] for n in range(number))

    def cost(self, statement: LiteralString, arguments: list[Parameters]) -> float:
        """Microseconds of a processor that one of these calls took in the server."""
        before = self._used()
        for each in arguments:
            self.conn.execute(statement, each).fetchall()
        return (self._used() - before) / 1_000 / len(arguments)

    def _used(self) -> int:
        return int(self._backend.read_text().split()[0])

    def _ids(self, statement: LiteralString, parameters: Parameters) -> list[int]:
        return [row[0] for row in self.conn.execute(statement, parameters)]

    def _wallets(self, number: int, pockets: int) -> list[int]:
        wallets = self._ids(
            "select w.wallet_id from generate_series(1, %s) as g (n) "
            "cross join lateral pgwallet.create_wallet('owner ' || %s || ' ' || g.n) as w",
            [number, str(uuid4())],
        )
        self.conn.execute(
            "select count(*) from unnest(%s::bigint[]) as w (id) "
            "cross join lateral generate_series(1, %s) as g (n) "
            "cross join lateral pgwallet.create_pocket(w.id, 'pocket ' || g.n, %s::numeric) as k",
            [wallets, pockets, 100 / (pockets or 1)],
        )
        self.conn.execute(
            "select count(*) from pgwallet.deposit_many(%s, %s)", [wallets, [10**9] * number]
        )
        return wallets


def _of_wallets(*rest: object, wide: bool = False, saving: bool = False) -> Arguments:
    def arguments(ledger: Ledger, number: int) -> Iterator[Parameters]:
        wallets = ledger.wide if wide else ledger.savers if saving else ledger.plain
        return ([wallet, *rest] for wallet in ledger.some(wallets, number))

    return arguments


def _keyed(of_wallets: Arguments) -> Arguments:
    return lambda ledger, n: ([*each, str(uuid4())] for each in of_wallets(ledger, n))


def _of_pockets(ledger: Ledger, number: int) -> Iterator[Parameters]:
    return ([pocket, 1] for pocket in ledger.some(ledger.pockets, number))


def _pledging(ledger: Ledger, number: int) -> Iterator[Parameters]:
    return ([wallet, ledger.project, 1] for wallet in ledger.some(ledger.plain, number))


def _settling(ledger: Ledger, number: int) -> Iterator[Parameters]:
    return ([escrow] for escrow in ledger.escrow_of(ledger.project, number))


def _bulk(ledger: Ledger, number: int) -> Iterator[Parameters]:
    ones = [1] * MANY
    return ([list(ledger.some(ledger.plain, MANY)), ones] for _ in range(number))


# How many calls make a sample, the call, and its arguments.
CALLS: dict[str, tuple[int, LiteralString, Arguments]] = {
    "deposit": (400, "select * from pgwallet.deposit(%s, %s)", _of_wallets(1)),
    "deposit, keyed": (400, "select * from pgwallet.deposit(%s, %s, %s)", _keyed(_of_wallets(1))),
    "withdraw": (400, "select * from pgwallet.withdraw(%s, %s)", _of_wallets(1)),
    "transfer_to_pocket": (400, "select * from pgwallet.transfer_to_pocket(%s, %s)", _of_pockets),
    "pledge": (400, "select * from pgwallet.pledge(%s, %s, %s)", _pledging),
    "pledge, keyed": (
        400,
        "select * from pgwallet.pledge(%s, %s, %s, null, %s)",
        _keyed(_pledging),
    ),
    "allocate_deposit, 5": (
        200,
        "select * from pgwallet.allocate_deposit(%s, %s)",
        _of_wallets(100, saving=True),
    ),
    "allocate_deposit, 5, largest_remainder": (
        100,
        "select * from pgwallet.allocate_deposit(%s, %s, %s)",
        _of_wallets(100, "largest_remainder", saving=True),
    ),
    "allocate_deposit, 100": (
        20,
        "select * from pgwallet.allocate_deposit(%s, %s)",
        _of_wallets(100, wide=True),
    ),
    "release_escrow": (200, "select * from pgwallet.release_escrow(%s)", _settling),
    "refund_escrow": (200, "select * from pgwallet.refund_escrow(%s)", _settling),
    "payout": (
        400,
        "select * from pgwallet.payout(%s, %s)",
        lambda ledger, number: ([ledger.project, "0.01"] for _ in range(number)),
    ),
    "deposit_many, 100": (20, "select * from pgwallet.deposit_many(%s, %s)", _bulk),
    "pledge_many, 100": (
        20,
        "select * from pgwallet.pledge_many(%s, %s, %s)",
        lambda ledger, number: ([ledger.project, *each] for each in _bulk(ledger, number)),
    ),
    "allocate_deposits, 100 x 5": (
        10,
        "select * from pgwallet.allocate_deposits(%s, %s)",
        lambda ledger, number: ([ledger.savers, [100] * MANY] for _ in range(number)),
    ),
    "release_escrows, 100": (
        20,
        "select * from pgwallet.release_escrows(%s, %s, %s)",
        lambda ledger, number: ledger.batches("succeeded", number),
    ),
    "refund_escrows, 100": (
        20,
        "select * from pgwallet.refund_escrows(%s, %s, %s)",
        lambda ledger, number: ledger.batches("failed", number),
    ),
    "statement": (400, "select * from pgwallet.statement(%s)", _of_wallets()),
    "balance": (400, "select pgwallet.balance(%s)", _of_wallets()),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.versions", description=__doc__)
    parser.add_argument("directory", type=Path, help="a checkout of another version")
    parser.add_argument("--only", metavar="TEXT", default="", help="calls with this in their name")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    console = Console()
    with server.started(log=500) as bench:
        other = bench.database("other_version")
        _migrate(options.directory, other)
        names = [name for name in CALLS if options.only in name]
        costs = compared(other, bench.conninfo, names, options.rounds, console)
    table = Table("call", title="µs of the server's processor a call", title_justify="left")
    for heading in ("there, least", "median", "here, least", "median", "ratio of medians"):
        table.add_column(heading, justify="right")
    for name, (there, here) in costs.items():
        figures = [min(there), statistics.median(there), min(here), statistics.median(here)]
        ratio = figures[3] / figures[1]
        table.add_row(name, *(f"{figure:,.1f}" for figure in figures), f"{ratio:.3f}")
    console.print(table)


def compared(
    there: str, here: str, names: Sequence[str], rounds: int, console: Console
) -> dict[str, tuple[list[float], list[float]]]:
    """What each call cost in two databases, a sample a round; the first round does not count."""
    ledgers = Ledger(there), Ledger(here)
    costs: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in names}
    for turn in track(range(rounds + 1), "rounds", console=console, transient=True):
        for name, (number, statement, arguments) in CALLS.items():
            for side in (0, 1) if turn % 2 else (1, 0):
                if name in names:
                    made = list(arguments(ledgers[side], number))
                    taken = ledgers[side].cost(statement, made)
                    if turn > 0:  # the first fills caches and makes plans
                        costs[name][side].append(taken)
        for ledger in ledgers:
            ledger.conn.execute("vacuum pgwallet.account")
            ledger.conn.execute("checkpoint")
    for ledger in ledgers:
        ledger.conn.close()
    return costs


def _migrate(directory: Path, conninfo: str) -> None:
    """Installs the other version by its own driver."""
    program = "import sys, pgwallet; pgwallet.migrate(sys.argv[1])"
    path = str((directory / "driver").resolve())
    subprocess.run(
        [sys.executable, "-c", program, conninfo],
        env={**os.environ, "PYTHONPATH": path},
        cwd=directory,
        check=True,
        stderr=subprocess.PIPE,
    )


if __name__ == "__main__":
    main()
