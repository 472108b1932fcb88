"""What is measured of a cluster: the price of a router, more shards, the release of a project."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

import psycopg

import pgwallet
from bench.cluster import processors, servers
from bench.cluster.figures import Figure, Sample
from bench.crowd import Ids
from pgwallet import cluster

WALLETS = 200
BALANCE = 1_000_000_000

# Owners of one slot of their shard: the ids of their wallets follow each other. Not in slot 0, as
# one in a thousand is: there a pledge draws its id under a lock.
_OWNERS = """
  select w.wallet_id
  from (
    select o.owner_id
    from generate_series(1, 3000 * %(wallets)s) as g (n)
    cross join lateral (select 'backer ' || g.n as owner_id) as o
    cross join lateral (select sha256(convert_to(o.owner_id, 'UTF8')) as digest) as d
    where (get_byte(d.digest, 0) * 256 + get_byte(d.digest, 1)) %% 1024 = %(slot)s
    limit %(wallets)s
  ) as o
  cross join lateral pgwallet.create_wallet(o.owner_id) as w
"""


@dataclass(frozen=True)
class Sizes:
    rounds: int
    seconds: int
    clients: tuple[int, ...] = (1, 8)
    shards: tuple[int, ...] = (1, 2, 4, 8)
    share: float = 0.1  # of a processor for each server of a shard; with eight, two cores do it all
    direct_clients: int = 3  # a shard
    routed_clients: int = 8  # a shard
    pooled: int = 3  # connections of pgbouncer to a shard
    pledges: int = 80_000


FULL = Sizes(rounds=5, seconds=8)
QUICK = Sizes(rounds=3, seconds=3, pledges=16_000)
SMOKE = Sizes(rounds=1, seconds=0, shards=(1, 2), clients=(1, 2), pledges=200)


@dataclass(frozen=True)
class Filled:
    """A cluster with wallets on each shard, at ids that clients compute, and a project."""

    file: cluster.ClusterFile
    machines: servers.Machines
    wallets: tuple[Ids, ...]
    project_id: int

    @property
    def shards(self) -> int:
        return len(self.wallets)

    def place(self, shard: int) -> str:
        return servers.at(self.machines.shards[shard], f"of{self.shards}_{shard}")


def filled(machines: servers.Machines, shards: int) -> Filled:
    file = servers.made(machines, shards)
    wallets = []
    for shard in file.shards:
        with psycopg.connect(shard.conninfo, autocommit=True) as conn:
            slot = shards + shard.number
            rows = conn.execute(_OWNERS, {"wallets": WALLETS, "slot": slot}).fetchall()
            ids = [wallet_id for (wallet_id,) in rows]
            pgwallet.deposit_many(conn, ids, [BALANCE] * len(ids))
            conn.execute("analyze pgwallet.account, pgwallet.wallet")
            wallets.append(Ids.of(ids))
    with psycopg.connect(file.routers[0], autocommit=True) as conn:
        project_id = pgwallet.create_project(conn, "bench", max_pledge=BALANCE).project_id
    return Filled(file, machines, tuple(wallets), project_id)


def calls(made: Filled, sizes: Sizes) -> Iterator[tuple[Figure, Callable[[], Sample]]]:
    """The same call on a shard and through the router, by one client and by several."""
    statements = {
        "deposit": "select * from pgwallet.deposit(:w, 1.00);",
        "pledge": f"select * from pgwallet.pledge(:w, {made.project_id}, 0.01);",
        "balance": "select pgwallet.balance(:w);",
    }
    router = made.file.routers[0]
    for work, statement in statements.items():
        script = _of_wallets(made.wallets[:1]) + statement
        for clients in sizes.clients:
            for way, conninfo in (("direct", made.place(0)), ("router", router)):
                yield (
                    Figure(work, way, clients, 1),
                    _sample(made, lambda c=conninfo, s=script, n=clients: servers.pgbench(  # type: ignore[misc]
                        c, s, n, sizes.seconds
                    ), clients, sizes.seconds),
                )  # fmt: skip


def growing(made: Filled, sizes: Sizes) -> Iterator[tuple[Figure, Callable[[], Sample]]]:
    """Deposits on so many shards, each of which has a small share of a processor."""
    clients = sizes.direct_clients

    def direct() -> float:
        scripts = [
            _of_wallets([each]) + "select * from pgwallet.deposit(:w, 1.00);"
            for each in made.wallets
        ]
        with ThreadPoolExecutor(made.shards) as threads:
            return sum(
                threads.map(
                    lambda shard: servers.pgbench(
                        made.place(shard), scripts[shard], clients, sizes.seconds
                    ),
                    range(made.shards),
                )
            )

    def routed() -> float:
        script = _of_wallets(made.wallets) + "select * from pgwallet.deposit(:w, 1.00);"
        many = sizes.routed_clients * made.shards
        with servers.pooler(made.file, sizes.pooled) as places:
            servers.point(made.file, places)
            try:
                return servers.pgbench(made.file.routers[0], script, many, sizes.seconds)
            finally:
                servers.point(made.file, [shard.through for shard in made.file.shards])

    def within(rate: Callable[[], float]) -> Callable[[], float]:
        def measured() -> float:
            with processors.limited(made.machines.shards[: made.shards], sizes.share):
                return rate()

        return measured

    for way, rate, each in (("direct", direct, clients), ("router", routed, sizes.routed_clients)):
        many = each * made.shards
        yield (
            Figure("deposit, shards limited", way, many, made.shards),
            _sample(made, within(rate), many, sizes.seconds),
        )


def releasing(made: Filled, sizes: Sizes) -> Iterator[tuple[Figure, Callable[[], Sample]]]:
    """All pledges to a project: through the router, and by a worker for each shard."""

    def pledged() -> int:
        with psycopg.connect(made.file.routers[0], autocommit=True) as conn:
            project_id = pgwallet.create_project(conn, f"film {uuid4()}").project_id
        each = sizes.pledges // made.shards
        for shard, wallets in zip(made.file.shards, made.wallets, strict=True):
            with psycopg.connect(shard.conninfo, autocommit=True) as conn:
                ids = [wallets[n % WALLETS] for n in range(each)]
                for start in range(0, each, 10_000):
                    some = ids[start : start + 10_000]
                    pgwallet.pledge_many(conn, project_id, some, [10] * len(some))
                conn.execute("vacuum analyze pgwallet.escrow")
        with psycopg.connect(made.file.routers[0], autocommit=True) as conn:
            pgwallet.close_project(conn, project_id, "succeeded")
        return project_id

    def by_workers(project_id: int) -> int:
        def one(shard: cluster.Shard) -> int:
            with psycopg.connect(shard.conninfo, autocommit=True) as conn:
                return sum(b.escrow_count for b in pgwallet.release_project(conn, project_id))

        with ThreadPoolExecutor(made.shards) as threads:
            return sum(threads.map(one, made.file.shards))

    def by_router(project_id: int) -> int:
        with psycopg.connect(made.file.routers[0], autocommit=True) as conn:
            return sum(b.escrow_count for b in pgwallet.release_project(conn, project_id))

    def sample(release: Callable[[int], int]) -> Callable[[], Sample]:
        def measured() -> Sample:
            project_id = pledged()
            start = time.perf_counter()
            count = release(project_id)
            seconds = time.perf_counter() - start
            if count != sizes.pledges // made.shards * made.shards:
                raise RuntimeError(f"{count} of {sizes.pledges} pledges were released")
            return Sample(count / seconds, 0, 0)

        return measured

    for way, release in (("router", by_router), ("a worker a shard", by_workers)):
        yield Figure("release", way, 1, made.shards), sample(release)


def _sample(
    made: Filled, rate: Callable[[], float], clients: int, seconds: int
) -> Callable[[], Sample]:
    def measured() -> Sample:
        router, shards = [made.machines.router], made.machines.shards[: made.shards]
        before = processors.used_by(router), processors.used_by(shards)
        a_second = rate()
        after = processors.used_by(router), processors.used_by(shards)
        calls = a_second * seconds if seconds else servers.FEW * clients
        return Sample(a_second, (after[0] - before[0]) / calls, (after[1] - before[1]) / calls)

    return measured


def _of_wallets(wallets: Sequence[Ids]) -> str:
    """Draws a wallet of any of these shards."""
    first = wallets[0]
    step = wallets[1].first - first.first if len(wallets) > 1 else 0
    if [each.first for each in wallets] != [first.first + n * step for n in range(len(wallets))]:
        raise RuntimeError("the wallets of the shards do not begin alike")
    return (
        f"\\set s random(0, {len(wallets) - 1})\n\\set i random(0, {first.count - 1})\n"
        f"\\set w {first.first} + :s * {step} + :i * {first.step}\n"
    )
