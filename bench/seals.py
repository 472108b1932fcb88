"""What seals cost to make, keep and check, and what deposits lose while one is made every second.

python -m bench.seals --postings 500000
"""

import argparse
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

import pgwallet
from bench import server
from bench.filling import fill
from bench.pgbench import Runs

AT_ONCE = 50_000
SECONDS = 5
EVERY = 1.0  # seconds from one seal to the next

DEPOSIT = r"""
\set number random(1, 1000)
select d.balance from depositor as s
cross join lateral pgwallet.deposit(s.wallet_id, 1) as d where s.number = :number
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--postings", type=int, default=500_000, metavar="N")
    parser.add_argument("--clients", type=int, default=8, metavar="N", help="that deposit")
    parser.add_argument("--rounds", type=int, default=6, metavar="N", help="of the deposits")
    options = parser.parse_args()
    table = Table("what", "figure")
    with server.started(log=500) as bench:
        fill(bench.conn, options.postings, lambda done: None)
        # Workers would take a part of it, and `used` looks at one process.
        bench.conn.execute("set max_parallel_workers_per_gather = 0")
        times = list(made(bench.conn))
        table.add_row(f"a seal of {AT_ONCE:,} postings", f"{statistics.median(times):.3f} s")
        table.add_row("a seal on disk", f"{bytes_a_seal(bench.conn):,.0f} bytes")
        start = used(bench.conn)
        assert pgwallet.check_seals(bench.conn) is None
        table.add_row("check_seals of all", f"{used(bench.conn) - start:.3f} s")
        ratio, seals = sealed_meanwhile(bench, options.clients, options.rounds)
        what = f"deposits of {options.clients} clients while sealed ({seals} seals)"
        table.add_row(what, f"{ratio:.3f}")
        assert pgwallet.check_seals(bench.conn) is None
    Console().print(table)


def made(conn: psycopg.Connection) -> Iterator[float]:
    """Seconds of a processor that each seal takes in the server, until nothing is left."""
    while True:
        start = used(conn)
        seal = pgwallet.seal_ledger(conn, AT_ONCE)
        if seal is None or not seal.has_more:
            return
        yield used(conn) - start


def used(conn: psycopg.Connection) -> float:
    """Seconds of a processor so far, which other work on the machine disturbs less."""
    return int(Path(f"/proc/{conn.info.backend_pid}/schedstat").read_text().split()[0]) / 1e9


def bytes_a_seal(conn: psycopg.Connection) -> float:
    """Of its table, without index and sums, by a copy with ten thousand of them."""
    conn.execute("create temp table many (like pgwallet.seal including all)")
    conn.execute(
        "insert into many select g.n, s.sealed_at, s.posting_id, s.transaction_id, s.event_id, "
        "s.latest_at, s.digest from generate_series(1, 10000) as g (n) "
        "cross join (select * from pgwallet.seal order by seal_id desc limit 1) as s"
    )
    row = conn.execute("select pg_relation_size('many') / 10000.0").fetchone()
    assert row is not None
    return float(row[0])


def sealed_meanwhile(bench: server.Bench, clients: int, rounds: int) -> tuple[float, int]:
    """Deposits a second while it is sealed, of those without; taking turns."""
    bench.conn.execute(
        "create table depositor as select row_number() over () as number, b.wallet_id "
        "from backer as b limit 1000; alter table depositor add primary key (number)"
    )
    runs = Runs(bench, bench.conninfo, DEPOSIT, clients, SECONDS)
    rates: tuple[list[float], list[float]] = [], []
    runs()
    seals = 0
    for turn in range(2 * rounds):
        sealing = (turn + turn // 2) % 2 == 1
        if sealing:
            with sealed_every_second(bench.conninfo) as count:
                rates[1].append(runs())
            seals += len(count)
        else:
            rates[0].append(runs())
        bench.rest()
    return statistics.median(rates[1]) / statistics.median(rates[0]), seals


@contextmanager
def sealed_every_second(conninfo: str) -> Iterator[list[int]]:
    """As `pgwallet seal --follow --every 1` does; the ids of the seals."""
    over, seals = threading.Event(), list[int]()

    def follow() -> None:
        with psycopg.connect(conninfo, autocommit=True) as conn:
            while not over.wait(EVERY):
                if (seal := pgwallet.seal_ledger(conn)) is not None:
                    seals.append(seal.seal_id)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield seals
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    main()
