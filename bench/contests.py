"""All contests of one run, with the targets that pgwallet has set itself."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import cycle

import pgwallet
from bench import scripts
from bench.contest import Contest, Sample
from bench.crowd import POCKETS, WIDE_POCKETS, Crowd
from bench.orm import allocation, database, filling, pledge, release
from bench.pgbench import Runs
from bench.releases import BATCH as RELEASE_BATCH
from bench.releases import Releases
from bench.server import Bench
from bench.settling import Settling

FLOOR, BULK, LOOP = "floor", "ORM in bulk", "ORM in a loop"
KEYED, REPLAYED = "pgwallet with a key", "pgwallet, repeated"
WITHOUT = "pgwallet without a key"


@dataclass(frozen=True)
class Sizes:
    """How much of everything a run measures."""

    rounds: int
    seconds: int  # of each sample of many clients
    escrows: int  # of a released project
    many_escrows: int  # of a large project
    postings: int  # of a large ledger
    wallets: int  # of a large ledger
    savers: int  # wallets of one bulk allocation
    wide_wallets: int  # with a hundred pockets each
    batch: int  # deposits of a bulk call
    log: int  # MB of WAL files from the start


FULL = Sizes(
    rounds=7,
    seconds=2,
    escrows=100_000,
    many_escrows=1_000_000,
    postings=10_000_000,
    wallets=1_000_000,
    savers=1_000,
    wide_wallets=200,
    batch=8_190,
    log=1_500,
)
QUICK = Sizes(
    rounds=2,
    seconds=1,
    escrows=10_000,
    many_escrows=20_000,
    postings=10_000,
    wallets=1_000,
    savers=100,
    wide_wallets=20,
    batch=8_190,
    log=150,
)


def single_calls(bench: Bench, orm: "Orm", crowd: Crowd, sizes: Sizes) -> Iterator[Contest]:
    """Many clients that call one function after the other."""

    def run(script: str | None, clients: int, *, each: int = 1, conninfo: str = "") -> Runs:
        return Runs(bench, conninfo or bench.conninfo, script, clients, sizes.seconds, each)

    tpcb = bench.database("tpcb")
    scale = max(1, sizes.savers // 100)
    bench.pgbench("--initialize", "--quiet", f"--scale={scale}", tpcb)
    wallets = cycle([crowd.wallets[n] for n in range(crowd.wallets.count)])
    deposits = repeated(lambda: pgwallet.deposit(bench.conn, next(wallets), 10), sizes.seconds)
    for clients in (1, 8):
        text = "1 client" if clients == 1 else f"{clients} clients"
        yield Contest(
            f"deposit, {text}",
            "calls/s",
            {
                "pgwallet": run(scripts.deposit(crowd), clients),
                FLOOR: run(scripts.deposit_floor(crowd), clients),
                REPLAYED: run(scripts.deposit_again(crowd), clients),
                "TPC-B": run(None, clients, conninfo=tpcb),
                **({"pgwallet in Python": deposits} if clients == 1 else {}),
            },
            {FLOOR: 0.85},
        )
        yield Contest(
            f"deposit with a key, {text}",
            "calls/s",
            {
                "pgwallet": run(scripts.deposit_with_key(crowd), clients),
                FLOOR: run(scripts.deposit_floor(crowd, key=True), clients),
                WITHOUT: run(scripts.deposit(crowd), clients),
            },
            {FLOOR: 0.85},
        )
        yield Contest(
            f"pledge, {text}",
            "calls/s",
            {
                "pgwallet": run(scripts.pledge(crowd), clients),
                FLOOR: run(scripts.pledge_floor(crowd), clients),
                **({"ORM": orm.pledges()} if clients == 1 else {}),
            },
            {FLOOR: 0.85},
        )
        yield Contest(
            f"pledge with a key, {text}",
            "calls/s",
            {
                "pgwallet": run(scripts.pledge(crowd, key=True), clients),
                FLOOR: run(scripts.pledge_floor(crowd, key=True), clients),
                WITHOUT: run(scripts.pledge(crowd), clients),
            },
            {FLOOR: 0.85},
        )
        for pockets, call, floor in (
            (POCKETS, scripts.allocate, scripts.allocate_floor(crowd)),
            (WIDE_POCKETS, scripts.allocate_wide, scripts.allocate_wide_floor(crowd)),
        ):
            yield Contest(
                f"allocate over {pockets} pockets, {text}",
                "calls/s",
                {
                    "pgwallet": run(call(crowd), clients),
                    FLOOR: run(floor, clients),
                    KEYED: run(call(crowd, key=True), clients),
                    **(orm.allocating(pockets) if clients == 1 else {}),
                },
                {FLOOR: 0.85, **({BULK: 20} if (pockets, clients) == (WIDE_POCKETS, 1) else {})},
            )
            yield Contest(
                f"allocate by largest_remainder over {pockets} pockets, {text}",
                "calls/s",
                {
                    "pgwallet": run(call(crowd, "largest_remainder"), clients),
                    FLOOR: run(floor, clients),
                },
                {FLOOR: 0.85},
            )
    for name, target in (("release_escrow", 0.8), ("refund_escrow", 0.8)):
        settled = Settling(bench, crowd, name, sizes.seconds)
        yield Contest(
            f"{name}, 1 client",
            "calls/s",
            {"pgwallet": settled.by_call, FLOOR: settled.by_floor},
            {FLOOR: target},
        )
    spread = f"spread over {crowd.projects.count} projects"
    yield Contest(
        "pledges to one project, 8 clients",
        "calls/s",
        {"pgwallet": run(scripts.pledge(crowd, 1), 8), spread: run(scripts.pledge(crowd), 8)},
        {spread: 0.95},
    )
    yield Contest(
        f"deposit_many of {sizes.batch:,}, 2 clients",
        "deposits/s",
        {
            "pgwallet": run(scripts.deposit_many(), 2, each=sizes.batch),
            "deposit, 8 clients": run(scripts.deposit(crowd), 8),
        },
        {"deposit, 8 clients": 10},
    )
    yield Contest(
        f"allocate_deposits of {sizes.savers:,} wallets, {POCKETS} pockets each, 2 clients",
        "postings/s",
        {
            "pgwallet": run(
                scripts.allocate_deposits(crowd, sizes.savers), 2, each=sizes.savers * POCKETS
            ),
            "allocate_deposit, 8 clients": run(scripts.allocate(crowd), 8, each=POCKETS),
        },
        {"allocate_deposit, 8 clients": 6},
    )


def releases(bench: Bench, orm: "Orm", crowd: Crowd, sizes: Sizes) -> Iterator[Contest]:
    """All escrows of a project at once."""
    ours = Releases(bench.conn, crowd, sizes.escrows)
    yield Contest(
        f"release of {sizes.escrows:,} escrows",
        "escrows/s",
        {
            "pgwallet": ours.by_procedure,
            FLOOR: ours.by_floor,
            "pgwallet in Python": ours.by_driver,
            BULK: partial(orm.releases, release.release_after),
            LOOP: partial(orm.releases, release.release_before),
        },
        {FLOOR: 0.8, BULK: 60},
    )
    yield Contest(
        f"refund of {sizes.escrows:,} escrows",
        "escrows/s",
        {"pgwallet": ours.refunded_by_procedure, FLOOR: ours.refunded_by_floor},
        {FLOOR: 0.75},
    )
    small = f"of {10 * RELEASE_BATCH:,}"
    yield Contest(
        f"release of {10 * RELEASE_BATCH:,} of {sizes.many_escrows:,} escrows",
        "escrows/s",
        {"pgwallet": ours.of_large(sizes.many_escrows, 10), small: ours.of_small(10)},
        {small: 0.9},
    )


class Orm:
    """The ORM's own database: wallets, and projects as they are needed."""

    def __init__(self, conninfo: str, sizes: Sizes) -> None:
        database.connect(conninfo)
        self._sizes = sizes
        self._projects = iter(range(1, 1_000_000))

    def pledges(self) -> Sample:
        wallets = cycle(filling.add_wallets(100, 0, Decimal(1_000_000)))
        return repeated(
            lambda: pledge.pledge(next(wallets).user, 1, Decimal(1)), self._sizes.seconds
        )

    def allocations(self, pockets: int, allocate: Callable[[int, Decimal], int]) -> Sample:
        wallets = cycle(filling.add_wallets(20, pockets, Decimal(1_000_000)))
        return repeated(
            lambda: allocate(next(wallets).pk, Decimal(scripts.ALLOCATED)), self._sizes.seconds
        )

    def allocating(self, pockets: int) -> dict[str, Sample]:
        return {
            BULK: self.allocations(pockets, allocation.allocate_after),
            LOOP: self.allocations(pockets, allocation.allocate_before),
        }

    def releases(self, way: Callable[[int], int]) -> float:
        project_id = next(self._projects)
        filling.add_escrows(project_id, RELEASE_BATCH, Decimal(10))
        start = time.perf_counter()
        return way(project_id) / (time.perf_counter() - start)


def repeated(call: Callable[[], object], seconds: float) -> Sample:
    """Calls a second, one after the other, for half a second at most; once in no seconds."""

    def taken() -> float:
        done, start = 0, time.perf_counter()
        while not done or time.perf_counter() - start < min(seconds, 0.5):
            call()
            done += 1
        return done / (time.perf_counter() - start)

    return taken
