"""An hour of everything at once: are memory, bloat and speed flat, and is the ledger sound?

python -m bench.soak --minutes 60

Writers deposit, allocate, transfer and pledge, most of it with keys, at a pace that leaves the
machine room. Beside them operators end projects, release and refund them and pay them out, sweep
what expired, seal and check, and a reader follows the feed. A row for each tenth of the time.
"""

import argparse
import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import psycopg
from rich.console import Console
from rich.table import Table

import pgwallet
from bench import server

WRITERS = 16
WALLETS = 400
OPEN_PROJECTS = 8
PAUSE = 0.05  # seconds from one call of a writer to its next, on average
PARTS = 10
# A server as it comes, but for its share of memory.
SETTINGS = {"autovacuum": "on", "checkpoint_timeout": "5min", "max_wal_size": "1GB"}
REFUSED = (
    pgwallet.InsufficientFunds,
    pgwallet.ProjectClosed,
    pgwallet.EscrowNotLocked,
    pgwallet.EscrowAmountExceeded,
)

Connection = psycopg.Connection


@dataclass
class Soak:
    """What all threads share."""

    conninfo: str
    wallets: list[int]
    projects: list[int]
    over: threading.Event = field(default_factory=threading.Event)
    failures: list[BaseException] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    backends: dict[str, int] = field(default_factory=dict)
    # Seconds of deposits since the last row, and of as many calls that do nothing, which other
    # work on the machine slows as much.
    deposits: list[float] = field(default_factory=list)
    nothings: list[float] = field(default_factory=list)
    fed_until: int = 0
    fed_count: int = 0

    @contextmanager
    def busy(self, name: str, work: Callable[["Soak", Connection], None]) -> Iterator[None]:
        """Somebody at work on a connection of its own, until it is over."""

        def run() -> None:
            try:
                with psycopg.connect(self.conninfo, autocommit=True) as conn:
                    self.backends[name] = conn.info.backend_pid
                    work(self, conn)
            except BaseException as error:
                self.failures.append(error)
                self.over.set()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            thread.join()


def write(soak: Soak, conn: Connection) -> None:
    chance = random.Random(conn.info.backend_pid)
    pledged: list[int] = []
    while not soak.over.wait(chance.uniform(0, 2 * PAUSE)):
        call = chance.choices(WRITES, [weight for _, weight in WRITES])[0][0]
        try:
            call(soak, conn, chance, pledged)
            soak.calls[call.__name__] += 1
        except REFUSED:
            soak.calls["refused"] += 1


def deposit(soak: Soak, conn: Connection, chance: random.Random, _: list[int]) -> None:
    start = time.perf_counter()
    conn.execute("select 1", prepare=True)
    middle = time.perf_counter()
    pgwallet.deposit(conn, chance.choice(soak.wallets), amount(chance), uuid4())
    soak.nothings.append(middle - start)
    soak.deposits.append(time.perf_counter() - middle)


def allocate(soak: Soak, conn: Connection, chance: random.Random, _: list[int]) -> None:
    rounding = chance.choice(["half_up", "largest_remainder"])
    pgwallet.allocate_deposit(conn, chance.choice(soak.wallets), amount(chance), rounding)


def transfer(soak: Soak, conn: Connection, chance: random.Random, _: list[int]) -> None:
    source, target = chance.sample(soak.wallets, 2)
    pgwallet.transfer(conn, source, target, amount(chance), uuid4(), {"note": "soak"})


def pledge(soak: Soak, conn: Connection, chance: random.Random, pledged: list[int]) -> None:
    project_id = chance.choice(soak.projects)
    expires_at = None
    if chance.random() < 0.2:
        expires_at = datetime.now(UTC) + timedelta(seconds=chance.randint(5, 60))
    made = pgwallet.pledge(
        conn, chance.choice(soak.wallets), project_id, amount(chance), expires_at, uuid4()
    )
    pledged.append(made.escrow_id)
    del pledged[:-100]


def change(soak: Soak, conn: Connection, chance: random.Random, pledged: list[int]) -> None:
    if pledged:
        pgwallet.change_pledge(conn, chance.choice(pledged), amount(chance))


def cancel(soak: Soak, conn: Connection, chance: random.Random, pledged: list[int]) -> None:
    if pledged:
        pgwallet.cancel_pledge(conn, pledged.pop(chance.randrange(len(pledged))))


WRITES = ((deposit, 35), (allocate, 15), (transfer, 15), (pledge, 25), (change, 5), (cancel, 5))


def amount(chance: random.Random) -> Decimal:
    return Decimal(chance.randint(100, 5_000)) / 100


def end_projects(soak: Soak, conn: Connection) -> None:
    """The oldest ends each ten seconds, by success or not, and a new one takes its place."""
    chance = random.Random(1)
    while not soak.over.wait(10):
        ended = soak.projects[0]
        soak.projects[:] = [*soak.projects[1:], opened(conn)]
        if chance.random() < 0.7:
            pgwallet.close_project(conn, ended, "succeeded")
            for _ in pgwallet.release_project(conn, ended, 100):
                pass
            held = pgwallet.balance(conn, ended)
            if held > 0:
                pgwallet.payout(conn, ended, held, f"payout of {ended}")
        else:
            pgwallet.close_project(conn, ended, "failed")
            for _ in pgwallet.refund_project(conn, ended, 100):
                pass
        soak.calls["ended projects"] += 1


def sweep(soak: Soak, conn: Connection) -> None:
    while not soak.over.wait(5):
        while count := pgwallet.refund_expired_escrows(conn).escrow_count:
            soak.calls["expired"] += count


def seal(soak: Soak, conn: Connection) -> None:
    while not soak.over.wait(5):
        if pgwallet.seal_ledger(conn) is not None:
            soak.calls["seals"] += 1


def check(soak: Soak, conn: Connection) -> None:
    """What came since the last seal but one, each half minute."""
    while not soak.over.wait(30):
        seals = pgwallet.list_seals(conn, limit=2, newest_first=True)
        if violations := pgwallet.record_check(conn, seals[-1].transaction_id if seals else 0):
            raise AssertionError(f"the ledger is not sound: {violations}")
        soak.calls["checks"] += 1


def follow(soak: Soak, conn: Connection) -> None:
    """Each posting once and in order; what is left when all is over, too."""
    while not soak.over.wait(1):
        read_on(soak, conn)


def read_on(soak: Soak, conn: Connection) -> None:
    for batch in pgwallet.feed(conn, soak.fed_until):
        ids = [row.posting_id for row in batch]
        if ids != sorted(set(ids)) or ids[0] <= soak.fed_until:
            raise AssertionError(f"the feed is out of order after {soak.fed_until}: {ids}")
        soak.fed_until = ids[-1]
        soak.fed_count += len(ids)


BESIDE = {
    "ends projects": end_projects,
    "sweeps": sweep,
    "seals": seal,
    "checks": check,
    "follows the feed": follow,
}


def opened(conn: Connection) -> int:
    return pgwallet.create_project(conn, f"soak {uuid4()}", fee_fixed=Decimal("0.25")).project_id


def private_memory(pids: Sequence[int]) -> list[float]:
    """MB of each server process that it shares with none."""
    sizes = []
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        sizes.append(sum(int(line.split()[1]) for line in lines if line.startswith("Private")))
    return [size / 1024 for size in sizes]


@dataclass(frozen=True)
class Row:
    """What is to be the same in the last part as in the first."""

    seconds: float
    calls: int
    deposit: float  # times a call that does nothing
    memory: float  # MB, the largest writer's
    beside: float  # MB, the largest of the others
    account: int  # bytes of their table for each account: all of the writes update few of them
    posting: float  # bytes of all tables and indexes for each posting
    behind: int  # postings that the feed has not read yet


def measured(soak: Soak, conn: Connection, seconds: float) -> Row:
    deposits, soak.deposits = soak.deposits, []
    nothings, soak.nothings = soak.nothings, []
    row = conn.execute(
        "select pg_relation_size('pgwallet.account') / (select count(*) from pgwallet.account), ("
        "  select sum(pg_total_relation_size(c.oid)) from pg_class as c"
        "  where c.relnamespace = 'pgwallet'::regnamespace and c.relkind = 'r'"
        "), (select max(p.posting_id) from pgwallet.posting as p)"
    ).fetchone()
    assert row is not None
    account, tables, postings = row
    beside = [soak.backends[name] for name in BESIDE]
    writers = [pid for name, pid in soak.backends.items() if name not in BESIDE]
    return Row(
        seconds=seconds,
        calls=soak.calls.total(),
        deposit=statistics.median(deposits) / statistics.median(nothings),
        memory=max(private_memory(writers)),
        beside=max(private_memory(beside)),
        account=account,
        posting=float(tables) / postings,
        behind=max(0, postings - soak.fed_until),
    )


def shown(rows: Sequence[Row]) -> Table:
    table = Table("minutes", "calls", "a deposit, in select 1", "MB of a writer", "MB of others")
    for column in ("bytes an account", "bytes a posting", "feed behind"):
        table.add_column(column)
    for row in rows:
        table.add_row(
            f"{row.seconds / 60:.1f}",
            f"{row.calls:,}",
            f"{row.deposit:.2f}",
            f"{row.memory:.1f}",
            f"{row.beside:.1f}",
            str(row.account),
            f"{row.posting:.0f}",
            f"{row.behind:,}",
        )
    return table


def soaked(conninfo: str, minutes: float, told: Callable[[Row], object]) -> Soak:
    """Runs it all; raises what anybody ran into, or what is not sound at the end."""
    with psycopg.connect(conninfo, autocommit=True) as conn, ExitStack() as stack:
        wallets = [pgwallet.create_wallet(conn, f"soak {n}").wallet_id for n in range(WALLETS)]
        for wallet_id in wallets:
            for part in (20, 30, 50):
                pgwallet.create_pocket(conn, wallet_id, f"{part} percent", part)
        soak = Soak(conninfo, wallets, [opened(conn) for _ in range(OPEN_PROJECTS)])
        start = time.monotonic()
        for number in range(WRITERS):
            stack.enter_context(soak.busy(f"writer {number}", write))
        for name, work in BESIDE.items():
            stack.enter_context(soak.busy(name, work))
        try:
            for _ in range(PARTS):
                if soak.over.wait(60 * minutes / PARTS):
                    break
                told(measured(soak, conn, time.monotonic() - start))
        finally:
            soak.over.set()
            stack.close()
        if soak.failures:
            raise soak.failures[0]
        read_on(soak, conn)
        (count,) = conn.execute("select count(*) from pgwallet.posting").fetchone() or (0,)
        if soak.fed_count != count:
            raise AssertionError(f"the feed gave {soak.fed_count} of {count} postings")
        if wrong := pgwallet.check_ledger(conn) or pgwallet.check_seals(conn):
            raise AssertionError(f"not sound: {wrong}")
        return soak


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, metavar="N")
    minutes = parser.parse_args().minutes
    console = Console(width=120)
    rows: list[Row] = []

    def told(row: Row) -> None:
        rows.append(row)
        console.print(f"{row.seconds / 60:.1f} minutes: {row.calls:,} calls")

    with server.started(log=16, changes=SETTINGS) as bench:
        soak = soaked(bench.conninfo, minutes, told)
    console.print(shown(rows))
    console.print(", ".join(f"{count:,} {name}" for name, count in sorted(soak.calls.items())))
    console.print(
        f"The feed gave each of {soak.fed_count:,} postings once and in order; "
        "check_ledger and check_seals find nothing."
    )


if __name__ == "__main__":
    main()
