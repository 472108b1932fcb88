"""Pledges side by side with transfers of pgledger, another ledger that is a set of functions.

python -m bench.peer DIRECTORY

DIRECTORY holds a copy of pgledger's SQL, as a clone of its repository does: pgledger.sql, and under
vendor/ what that needs. None of it comes with pgwallet. Both are installed on one server, each in a
database of its own, and take turns. What is compared is what a backer's click costs: our `pledge`
writes an escrow beside the movement of money, its transfer only moves it.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from rich.console import Console

import pgwallet
from bench import crowd, report, scripts, server
from bench.contest import Contest, Result, held
from bench.contests import KEYED
from bench.pgbench import Runs

PEER = "pgledger"
CREATE: LiteralString = (
    "select a.id::text from generate_series(1, %(number)s) as g (n) "
    "cross join lateral pgledger_create_account(%(name)s || ' ' || g.n, 'EUR') as a"
)


class NoPeer(Exception):
    """The directory does not hold what can be installed; the message says what to do."""


@dataclass(frozen=True)
class Sizes:
    """How much is measured; both ledgers have so many wallets to choose from."""

    rounds: int = 7
    seconds: int = 2  # of each sample
    clients: int = 8
    wallets: int = 1_000


@dataclass(frozen=True)
class Peer:
    """Its database, with accounts to transfer from and to."""

    conninfo: str
    wallets: Sequence[str]
    projects: Sequence[str]

    def transfer(self, projects: int) -> str:
        """A script that moves 1 from any wallet to any of the first so many projects.

        The ids are an array in the statement's text, so that no look-up of them is measured.
        """
        wallets, targets = _literal(self.wallets), _literal(self.projects[:projects])
        return (
            f"\\set n random(1, {len(self.wallets)})\n"
            f"\\set p random(1, {projects})\n"
            f"select * from pgledger_create_transfer(({wallets})[:n], ({targets})[:p], 1);\n"
        )


def sources(directory: Path) -> list[Path]:
    """Its files in the order in which they are installed. Raises NoPeer."""
    main = directory / "pgledger.sql"
    if not main.is_file():
        raise NoPeer(
            f"there is no {main.name} in {directory}\n"
            "HINT: Clone its repository, which docs/compared.md names, and say where the clone is."
        )
    return [*sorted(directory.glob("vendor/*/*.sql")), main]


def installed(conn: psycopg.Connection, conninfo: str, directory: Path, wallets: int) -> Peer:
    """Installs it in an empty database, and makes its accounts. Raises NoPeer."""
    for path in sources(directory):
        try:
            conn.execute(path.read_bytes())
        except psycopg.Error as error:
            raise NoPeer(
                f"{path} cannot be installed: {error}\n"
                "HINT: A whole clone has all that it needs, in vendor/ too."
            ) from error
    try:
        ids = {
            name: [i for (i,) in conn.execute(CREATE, {"number": number, "name": name})]
            for name, number in (("wallet", wallets), ("project", crowd.PROJECTS))
        }
        conn.execute(
            "select from pgledger_create_transfer(%s::text, %s::text, 1)",
            [ids["wallet"][0], ids["project"][0]],
        )
    except psycopg.errors.UndefinedFunction as error:
        raise NoPeer(
            f"it has other functions than this bench calls: {error}\n"
            "HINT: This bench was written for the version that docs/compared.md names."
        ) from error
    conn.execute("vacuum analyze")
    return Peer(conninfo, ids["wallet"], ids["project"])


def contests(
    bench: server.Bench, ours: crowd.Crowd, peer: Peer, clients: int, seconds: int
) -> Iterator[Contest]:
    """What is measured, with the targets that pgwallet has set itself."""

    def run(script: str, conninfo: str) -> Runs:
        return Runs(bench, conninfo, script, clients, seconds)

    for to, projects, at_least in (
        (f"{crowd.PROJECTS} projects", crowd.PROJECTS, 2.5),
        ("one project", 1, 5),
    ):
        yield Contest(
            f"pledges to {to}, {clients} clients",
            "calls/s",
            {
                "pgwallet": run(scripts.pledge(ours, projects), bench.conninfo),
                PEER: run(peer.transfer(projects), peer.conninfo),
                KEYED: run(scripts.pledge(ours, projects, key=True), bench.conninfo),
            },
            {PEER: at_least},
        )


def measured(bench: server.Bench, directory: Path, conninfo: str, sizes: Sizes) -> list[Result]:
    """Installs the peer in the empty database and holds the contests. Raises NoPeer."""
    with psycopg.connect(conninfo, autocommit=True) as conn:
        peer = installed(conn, conninfo, directory, sizes.wallets)
        ours = crowd.made(bench.conn, sizes.wallets, 2, 90)

        def rest() -> None:
            bench.rest()
            conn.execute("vacuum")

        results = [
            held(contest, sizes.rounds, rest)
            for contest in contests(bench, ours, peer, sizes.clients, sizes.seconds)
        ]
    if violations := pgwallet.check_ledger(bench.conn):
        raise SystemExit(f"the ledger is not sound: {violations[:3]}")
    return results


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.peer", description=__doc__)
    parser.add_argument("directory", type=Path, help=f"a clone of {PEER}, or a copy of its SQL")
    for name, value in asdict(Sizes()).items():
        parser.add_argument(f"--{name}", type=int, default=value, metavar="N")
    options = vars(parser.parse_args())
    directory = options.pop("directory")
    console = Console()
    try:
        sources(directory)  # before a server is started for nothing
        with server.started(log=500) as bench:
            for heading, values in server.described(bench.conn).items():
                console.print(f"{heading}: {', '.join(' '.join(item) for item in values.items())}")
            results = measured(bench, directory, bench.database(PEER), Sizes(**options))
    except NoPeer as error:
        raise SystemExit(f"ERROR: {error}") from None
    report.printed(console, results, [])


def _literal(ids: Sequence[str]) -> str:
    return f"'{{{','.join(ids)}}}'::text[]"


if __name__ == "__main__":
    main()
