"""A ledger that was alone becomes the first shard of a cluster, with all that it has."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet import cluster
from pgwallet.deployment import DeploymentError
from pgwallet.shards.places import slot_of
from tests.cli.command import pgwallet_here
from tests.clusters import planned, written

SHARDS = 2
# Owners of the second shard's slots, of none, and of the first one's.
*ODD, ODD_AFTER = [name for name in map("odd {}".format, range(20)) if slot_of(name) % SHARDS == 1][
    :4
]
EVEN = [name for name in map("even {}".format, range(20)) if slot_of(name) % SHARDS == 0][:2]
NULL = next(name for name in map("null {}".format, range(10**5)) if slot_of(name) == 0)


@dataclass
class Before:
    """What there was in the ledger when it was alone."""

    wallets: dict[str, int] = field(default_factory=dict)
    deposits: dict[str, int] = field(default_factory=dict)
    escrows: dict[str, int] = field(default_factory=dict)
    pocket: int = 0
    film: int = 0
    done: int = 0
    paid: int = 0
    points: list[int] = field(default_factory=list)
    postings: list[int] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    seal: int = 0


def _fill(conn: psycopg.Connection) -> Before:
    before = Before()
    for name in [*ODD, *EVEN, NULL]:
        wallet = before.wallets[name] = pgwallet.create_wallet(conn, name).wallet_id
        before.deposits[name] = pgwallet.deposit(conn, wallet, 100, f"to {name}").transaction_id
    before.pocket = pgwallet.create_pocket(conn, before.wallets[NULL], "rent", 10).pocket_id
    pgwallet.allocate_deposit(conn, before.wallets[NULL], 50, idempotency_key="rent")
    conn.execute("update pgwallet.settings set max_pledge = 5000")
    conn.execute("select pgwallet.create_currency('PTS', 0, 'Points')")
    conn.execute("update pgwallet.currency set max_pledge = 7 where currency = 'PTS'")
    before.film = pgwallet.create_project(conn, "film", commission_rate=Decimal("0.1")).project_id
    before.done = pgwallet.create_project(conn, "done", fee_rate=0).project_id
    pgwallet.create_project(conn, "points", "PTS")
    for name, wallet in before.wallets.items():
        before.escrows[name] = pgwallet.pledge(
            conn, wallet, before.film, 10, idempotency_key=f"film {name}"
        ).escrow_id
        pgwallet.pledge(conn, wallet, before.done, 10)
    pgwallet.set_credit_limit(conn, before.film, 5)
    for _ in pgwallet.release_project(conn, before.done):
        pass
    before.paid = pgwallet.payout(conn, before.done, 20, "paid before").transaction_id
    cold = pgwallet.create_project(conn, "cold").project_id
    pgwallet.freeze_account(conn, cold, "asked for")
    pgwallet.seal_ledger(conn)
    before.seal = pgwallet.list_seals(conn)[-1].seal_id
    before.postings = [row.posting_id for batch in pgwallet.feed(conn) for row in batch]
    before.events = [event.event_id for event in pgwallet.list_events(conn, limit=1000)]
    return before


@pytest.fixture(scope="module")
def adopted(
    cluster_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[cluster.ClusterFile, Before]]:
    with planned(cluster_server, SHARDS) as file:
        pgwallet.migrate(file.shards[0].conninfo)
        with psycopg.connect(file.shards[0].conninfo, autocommit=True) as conn:
            before = _fill(conn)
        with pytest.raises(DeploymentError, match="in use"):
            cluster.init(file)
        path = written(file, tmp_path_factory.mktemp("adopt") / "cluster.toml")
        made = pgwallet_here("cluster", "adopt", path)
        assert made.returncode == 0, made.stderr
        yield file, before


@pytest.fixture
def router(adopted: tuple[cluster.ClusterFile, Before]) -> Iterator[psycopg.Connection]:
    with psycopg.connect(adopted[0].routers[0], autocommit=True) as conn:
        yield conn


@pytest.fixture
def before(adopted: tuple[cluster.ClusterFile, Before]) -> Before:
    return adopted[1]


def test_it_is_sound_and_as_it_should_be(
    adopted: tuple[cluster.ClusterFile, Before], router: psycopg.Connection, tmp_path: Path
) -> None:
    file, _ = adopted
    assert cluster.check(file) == []
    assert pgwallet.check_ledger(router) == []
    assert cluster.status(file).up_to_date
    path = written(file, tmp_path / "cluster.toml")
    for command in ("adopt", "init", "migrate"):
        again = pgwallet_here("cluster", command, path)
        assert again.returncode == 0, again.stderr
        assert "Nothing to do" in again.stdout, command
    assert cluster.complete(file) == cluster.CompletionReport((), (), ())


def test_owners_of_before_keep_their_wallets(router: psycopg.Connection, before: Before) -> None:
    for name, wallet in before.wallets.items():
        assert pgwallet.create_wallet(router, name).wallet_id == wallet
        (found,) = pgwallet.list_wallets(router, name)
        assert found.wallet_id == wallet
        place = pgwallet.shard_of(router, owner_id=name)
        assert place is not None
        assert place.shard == 0
    # All wallets of an owner are in one place.
    dollars = pgwallet.create_wallet(router, ODD[0], "USD").wallet_id
    assert (dollars >> 46) - 1 == 0


def test_new_owners_are_on_all_shards(router: psycopg.Connection) -> None:
    shards = {
        (pgwallet.create_wallet(router, f"new {number}").wallet_id >> 46) - 1 for number in range(9)
    }
    assert shards == {0, 1}


def test_ids_of_before_work(router: psycopg.Connection, before: Before) -> None:
    for name, wallet in before.wallets.items():
        place = pgwallet.shard_of(router, wallet)
        assert place is not None
        assert place.shard == 0
        assert pgwallet.balance(router, wallet) == pgwallet.list_wallets(router, name)[0].balance
        assert pgwallet.statement(router, wallet)[0].transaction_id == before.deposits[name]
        pgwallet.deposit(router, wallet, 5)
        assert pgwallet.withdraw(router, wallet, 5).balance == pgwallet.balance(router, wallet)
        assert pgwallet.freeze_account(router, wallet, "asked for").frozen
        assert not pgwallet.unfreeze_account(router, wallet, "again").frozen
        assert pgwallet.set_credit_limit(router, wallet, 0).credit_limit == 0
        kinds = [event.kind for event in pgwallet.list_events(router, wallet)]
        assert kinds == ["create_wallet", "freeze_account", "unfreeze_account"], name
        assert pgwallet.get_escrow(router, before.escrows[name]).wallet_id == wallet
        assert before.escrows[name] in {e.escrow_id for e in pgwallet.list_escrows(router, wallet)}
    assert pgwallet.balance(router, before.pocket) == 5
    pgwallet.transfer_from_pocket(router, before.pocket, 1)
    pgwallet.transfer_to_pocket(router, before.pocket, 1)
    got = pgwallet.get_transaction(router, before.deposits[ODD[0]])
    assert (got.kind, got.amount) == ("deposit", Decimal(100))
    with pytest.raises(pgwallet.WalletNotFound):
        pgwallet.deposit(router, before.film, 1)
    with pytest.raises(pgwallet.AccountNotFound):
        pgwallet.balance(router, 1024 * 10**6)
    with pytest.raises(pgwallet.AccountNotFound):
        pgwallet.balance(router, 1023)


def test_keys_of_before_replay(router: psycopg.Connection, before: Before) -> None:
    for name, wallet in before.wallets.items():
        again = pgwallet.deposit(router, wallet, 100, f"to {name}")
        assert (again.transaction_id, again.replayed) == (before.deposits[name], True)
        with pytest.raises(pgwallet.IdempotencyConflict):
            pgwallet.deposit(router, wallet, 99, f"to {name}")
        pledged = pgwallet.pledge(router, wallet, before.film, 10, idempotency_key=f"film {name}")
        assert (pledged.escrow_id, pledged.replayed) == (before.escrows[name], True)
    found = pgwallet.find_transaction(router, "paid before")
    assert found is not None
    assert found.transaction_id == before.paid
    for _ in range(2):
        paid = pgwallet.payout(router, before.done, 20, "paid before")
        assert (paid.transaction_id, paid.replayed) == (before.paid, True)
    with pytest.raises(pgwallet.IdempotencyConflict):
        pgwallet.payout(router, before.done, 21, "paid before")


def test_many_wallets_of_before_and_new_ones_are_called_at_once(
    router: psycopg.Connection, before: Before
) -> None:
    new = next(
        wallet
        for wallet in (pgwallet.create_wallet(router, f"m {n}").wallet_id for n in range(99))
        if wallet >> 46 == 2
    )
    wallets = [new, before.wallets[NULL], before.wallets[ODD[0]]]
    with pytest.raises(pgwallet.InvalidArgument, match="no idempotency key"):
        pgwallet.deposit_many(router, wallets, [1, 2, 3])
    made = pgwallet.deposit_many(router, wallets, [1, 2, 3], ["m1", "m2", "m3"])
    assert [row.wallet_id for row in made] == wallets
    sent = pgwallet.transfer(router, before.wallets[NULL], new, 2, "over")
    assert sent.to_balance == 3
    pgwallet.transfer(router, before.wallets[ODD[0]], before.wallets[NULL], 3)
    assert pgwallet.check_ledger(router) == []


def test_projects_of_before_are_the_clusters(
    adopted: tuple[cluster.ClusterFile, Before], router: psycopg.Connection
) -> None:
    file, before = adopted
    same = pgwallet.create_project(router, "film", commission_rate=Decimal("0.1"))
    assert same.project_id == before.film
    with pytest.raises(pgwallet.InvalidArgument):
        pgwallet.create_project(router, "film")
    later = pgwallet.create_project(router, "later", commission_rate=Decimal("0.1")).project_id
    assert later >= 1 << 45
    assert pgwallet.create_project(router, "later", commission_rate=Decimal("0.1")) is not None
    listed = [project.project_id for project in pgwallet.list_projects(router)]
    assert len(listed) == len(set(listed))
    assert {before.film, before.done, later} <= set(listed)
    found = pgwallet.find_project(router, "done")
    assert found is not None
    assert (found.status, found.escrow_count) == ("succeeded", len(before.wallets))
    cold = pgwallet.find_project(router, "cold")
    assert cold is not None
    for shard in file.shards:
        with psycopg.connect(shard.conninfo) as conn:
            assert pgwallet.get_project(conn, before.done).status == "succeeded"
            assert pgwallet.get_project(conn, cold.project_id).frozen_at is not None
            row = conn.execute(
                "select max_pledge from pgwallet.currency where currency = 'PTS'"
            ).fetchone()
            assert row == (7,)
    kinds = [event.kind for event in pgwallet.list_events(router, before.film)]
    assert kinds == ["create_project", "set_credit_limit"]


def test_what_is_read_goes_on_with_its_numbers(router: psycopg.Connection, before: Before) -> None:
    middle, last = before.postings[2], before.postings[-1]
    again = [row.posting_id for row in pgwallet.read_feed(router, middle)]
    assert again[: len(before.postings) - 3] == before.postings[3:]
    more = [row.posting_id for row in pgwallet.read_feed(router, last)]
    assert all(posting > last for posting in more)
    events = [e.event_id for e in pgwallet.list_events(router, limit=1000)]
    assert events[: len(before.events)] == before.events
    wallet = before.wallets[ODD[0]]
    rows = pgwallet.statement(router, wallet)
    page = pgwallet.statement(router, wallet, rows[0].posting_id)
    assert [row.posting_id for row in page] == [row.posting_id for row in rows[1:]]
    of_film = [row.posting_id for row in pgwallet.statement(router, before.done)]
    after = pgwallet.statement(router, before.done, of_film[0])
    assert [row.posting_id for row in after] == of_film[1:]
    newest = pgwallet.statement(router, before.done, newest_first=True)
    assert [row.posting_id for row in newest] == of_film[::-1]
    pgwallet.seal_ledger(router)
    assert pgwallet.check_seals(router) is None


def test_a_project_of_before_is_pledged_to_released_and_paid_from_all(
    adopted: tuple[cluster.ClusterFile, Before], router: psycopg.Connection
) -> None:
    file, before = adopted
    new = [pgwallet.create_wallet(router, f"backer {number}").wallet_id for number in range(8)]
    assert {wallet >> 46 for wallet in new} == {1, 2}
    pgwallet.deposit_many(router, new, [100] * 8, [f"b{n}" for n in range(8)])
    everybody = [*new, *before.wallets.values()]
    count = len(everybody)
    keys = [f"p{n}" for n in range(count)]
    pgwallet.pledge_many(router, before.film, everybody, [5] * count, keys)
    project = pgwallet.get_project(router, before.film)
    pledged = 5 * count + 10 * len(before.wallets)
    assert (project.pledged_amount, project.credit_limit) == (Decimal(pledged), Decimal(5))
    pgwallet.refund_escrow(router, before.escrows[ODD[1]], 1)
    released = list(pgwallet.release_project(router, before.film, batch_size=3))
    assert sum(batch.gross_amount for batch in released) == pledged - 1
    net = sum(batch.net_amount for batch in released)
    assert pgwallet.balance(router, before.film) == net
    paid = pgwallet.payout(router, before.film, net + 5, "all of it and the credit")
    assert paid.balance == -5
    back = pgwallet.reverse_transaction(router, paid.transaction_id, "back")
    assert back.amount == net + 5
    assert cluster.check(file) == []
    assert pgwallet.check_ledger(router) == []


def test_cluster_goes_to_the_shard_of_what_was_before(
    adopted: tuple[cluster.ClusterFile, Before],
) -> None:
    file, before = adopted
    with pgwallet.Cluster(file.routers[0]) as way:
        for name, wallet in before.wallets.items():
            assert way.shard_of(wallet) == 0
            assert way.shard_of(owner_id=name) == 0
            with way.connection(owner_id=name) as conn:
                assert pgwallet.create_wallet(conn, name).wallet_id == wallet
        with pytest.raises(pgwallet.InvalidArgument, match="no shard alone"):
            way.shard_of(before.film)
        assert way.shard_of(owner_id="nobody yet") == slot_of("nobody yet") % SHARDS

    async def ask() -> tuple[int, int]:
        async with pgwallet.AsyncCluster(file.routers[0]) as way:
            with suppress(pgwallet.InvalidArgument):
                await way.shard_of(before.film)
                raise AssertionError
            return (
                await way.shard_of(before.wallets[NULL]),
                await way.shard_of(owner_id=ODD[0]),
            )

    assert asyncio.run(ask()) == (0, 0)


def test_a_wallet_of_an_owner_who_is_looked_up_on_another_shard_is_named(
    adopted: tuple[cluster.ClusterFile, Before],
) -> None:
    file, _ = adopted
    with psycopg.connect(file.shards[0].conninfo, autocommit=True) as conn:
        # Who is new there is looked up there, whatever their slot.
        pgwallet.create_wallet(conn, ODD_AFTER)
    assert cluster.check(file) == []
    with psycopg.connect(file.shards[1].conninfo, autocommit=True) as conn:
        wallet = pgwallet.create_wallet(conn, ODD[0]).wallet_id
        (found,) = cluster.check(file)
        assert (found.invariant, found.subject) == (8, f"wallet {wallet}")
        assert found.detail == "It is on shard 1, its owner is looked up on shard 0."
        pgwallet.erase_owner(conn, wallet)
    assert cluster.check(file) == []


def test_only_a_ledger_in_use_is_adopted_and_only_as_the_first(cluster_server: str) -> None:
    with planned(cluster_server, 2) as file:
        with pytest.raises(DeploymentError, match="nothing to adopt"):
            cluster.adopt(file)
        pgwallet.migrate(file.shards[1].conninfo)
        with psycopg.connect(file.shards[1].conninfo) as conn:
            pgwallet.create_wallet(conn, "ann")
        with pytest.raises(DeploymentError, match=r"except for shard 0|nothing to adopt"):
            cluster.adopt(file)
        with psycopg.connect(make_conninfo(file.shards[0].conninfo)) as conn:
            row = conn.execute("select to_regnamespace('pgwallet')").fetchone()
            assert row == (None,)
