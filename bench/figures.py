"""What is not a rate: overhead, memory, bytes."""

import resource
import statistics
import subprocess
import sys
import time
from itertools import cycle

import psycopg

import pgwallet
from bench import scripts
from bench.contest import Figure
from bench.contests import Sizes
from bench.crowd import Crowd, one
from bench.pgbench import Runs
from bench.releases import Releases
from bench.server import Bench

CALLS = 2_000
CLIENTS = 8
DEPOSIT = "select transaction_id, balance, replayed from pgwallet.deposit(%s, %s)"


def taken(bench: Bench, made: Crowd, sizes: Sizes) -> list[Figure]:
    disk, wal = _bytes_a_deposit(bench, made, sizes)
    return [
        Figure("driver over raw psycopg, a call", "µs", _overhead(bench.conn, made), 60),
        Figure(
            f"client memory more while releasing {sizes.many_escrows:,} escrows",
            "MB",
            _memory(bench, made, sizes),
            10,
        ),
        Figure("disk for a deposit", "bytes", disk, 360),
        Figure("WAL for a deposit, full-page writes aside", "bytes", wal, 680),
    ]


def _overhead(conn: psycopg.Connection, made: Crowd) -> float:
    """Median microseconds that `pgwallet.deposit` takes longer than its statement.

    The two take turns in one transaction, so that no commit is between them.
    """
    raw: list[float] = []
    driver: list[float] = []
    wallets = cycle(made.wallets[n] for n in range(made.wallets.count))
    with conn.transaction(force_rollback=True):
        for _ in range(CALLS):
            start = time.perf_counter()
            conn.execute(DEPOSIT, [next(wallets), 10]).fetchone()
            middle = time.perf_counter()
            pgwallet.deposit(conn, next(wallets), 10)
            driver.append(time.perf_counter() - middle)
            raw.append(middle - start)
    return (statistics.median(driver) - statistics.median(raw)) * 1e6


def _memory(bench: Bench, made: Crowd, sizes: Sizes) -> float:
    """Megabytes by which a process of its own grows at most."""
    project_id = Releases(bench.conn, made, 0).filled(sizes.many_escrows)
    command = [sys.executable, "-m", "bench.figures", bench.conninfo, str(project_id)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout) / 1024


def _bytes_a_deposit(bench: Bench, made: Crowd, sizes: Sizes) -> tuple[float, float]:
    """On disk after a vacuum, and of WAL, of deposits by many clients."""
    conn = bench.conn
    deposits = Runs(bench, bench.conninfo, scripts.deposit(made), CLIENTS, 5 * sizes.seconds)
    conn.execute("alter system set full_page_writes = off")
    conn.execute("select pg_reload_conf()")
    conn.execute("vacuum pgwallet.transaction, pgwallet.posting")
    size, written, posted = _sizes(conn), _written(conn), _posted(conn)
    deposits()
    wal = _written(conn) - written
    conn.execute("vacuum pgwallet.transaction, pgwallet.posting")
    count = _posted(conn) - posted
    conn.execute("alter system reset full_page_writes")
    conn.execute("select pg_reload_conf()")
    return (_sizes(conn) - size) / count, wal / count


def _sizes(conn: psycopg.Connection) -> int:
    return one(
        conn,
        "select pg_total_relation_size('pgwallet.transaction')"
        " + pg_total_relation_size('pgwallet.posting')",
    )


def _written(conn: psycopg.Connection) -> int:
    return one(conn, "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint")


def _posted(conn: psycopg.Connection) -> int:
    return one(conn, "select count(*) from pgwallet.posting")


def _release(conninfo: str, project_id: int) -> None:
    """Prints by how many kilobytes this process grew at most while it released a project."""
    with psycopg.connect(conninfo, autocommit=True) as conn:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in pgwallet.release_project(conn, project_id):
            pass
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)


if __name__ == "__main__":
    _release(sys.argv[1], int(sys.argv[2]))
