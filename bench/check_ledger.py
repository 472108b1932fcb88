"""How long check_ledger takes, of a whole ledger and of what is new in it.

python -m bench.check_ledger --postings 10000000
"""

import argparse
import statistics
import time

import psycopg
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import pgwallet
from bench.filling import fill
from pgwallet import embedded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--postings", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="of the short checks")
    arguments = parser.parse_args()

    with (
        embedded.start() as server,
        psycopg.connect(server.conninfo, autocommit=True) as conn,
    ):
        pgwallet.migrate(server.conninfo)
        with Progress() as progress:
            task = progress.add_task("postings", total=arguments.postings)
            fill(conn, arguments.postings, lambda done: progress.update(task, completed=done))

        wallet_id = one(conn, "select wallet_id from backer limit 1")
        projects = {
            "a pledge to a new project": pgwallet.create_project(conn, "new").project_id,
            "a pledge to the oldest project": one(conn, "select min(project_id) from campaign"),
        }
        table = Table("checked", "median s", "violations")
        seconds, found = checked(conn, 0)
        table.add_row("everything", f"{seconds:.3f}", str(found))
        for name in ("a deposit", *projects):
            times, found = [], 0
            for _ in range(arguments.rounds):
                last = one(conn, "select max(transaction_id) from pgwallet.transaction")
                if name in projects:
                    pgwallet.pledge(conn, wallet_id, projects[name], 1)
                else:
                    pgwallet.deposit(conn, wallet_id, 10)
                seconds, violations = checked(conn, last)
                times.append(seconds)
                found += violations
            table.add_row(f"what is new: {name}", f"{statistics.median(times):.3f}", str(found))
        Console().print(table)


def checked(conn: psycopg.Connection, since: int) -> tuple[float, int]:
    """Seconds that a check takes, and how many violations it finds."""
    start = time.perf_counter()
    found = len(pgwallet.check_ledger(conn, since))
    return time.perf_counter() - start, found


def one(conn: psycopg.Connection, query: str) -> int:
    row = conn.execute(query.encode()).fetchone()
    assert row is not None
    number: int = row[0]
    return number


if __name__ == "__main__":
    main()
