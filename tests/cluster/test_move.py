"""A shard moves to another server while clients write: calls wait for a moment, and none fails."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet import cluster
from pgwallet.cluster import ClusterFile, copying, making_routers, moving
from pgwallet.deployment import DeploymentError
from tests import clusters, databases
from tests.cli.command import pgwallet_here
from tests.cluster.clients import Clients
from tests.clusters import written
from tests.effort import effort

CLIENTS = 8
SECONDS = effort("PGWALLET_MOVE_SECONDS", part=2, full=8)  # of calls before it and after it
PAUSE = 5.0

pytestmark = pytest.mark.timeout(300)


def test_a_shard_moves_while_eight_clients_write(
    two_servers: tuple[str, str], tmp_path: Path
) -> None:
    first, second = two_servers
    with clusters.made(first, 2) as file, databases.created(second) as name:
        new = databases.as_owner(make_conninfo(second, dbname=name))
        old = file.shards[1]
        with psycopg.connect(file.routers[0], autocommit=True) as router:
            wallets = [pgwallet.create_wallet(router, f"owner {n}").wallet_id for n in range(12)]
            assert {wallet >> 46 for wallet in wallets} == {1, 2}
            path = written(file, tmp_path / "cluster.toml")
            direct = next(
                wallet
                for n in range(64)
                if (wallet := pgwallet.create_wallet(router, f"direct {n}").wallet_id) >> 46 == 2
            )
            with (
                Clients(file.routers[0], wallets, CLIENTS) as clients,
                straight_to_the_shard(file.routers[0], direct) as deposits,
            ):
                time.sleep(SECONDS)
                told = pgwallet_here("cluster", "move", path, 1, new)
                moved_at = time.monotonic()
                time.sleep(SECONDS)
            assert told.returncode == 0, told.stderr
            assert f'conninfo = "{new}"' in told.stdout
            assert clients.failures == []
            assert clients.longest < PAUSE
            assert {w: pgwallet.balance(router, w) for w in wallets} == clients.told
            assert pgwallet.balance(router, direct) == len(deposits) > 0
            assert deposits[0] < moved_at < deposits[-1]

        moved = replace(file, shards=(file.shards[0], cluster.shard_at(1, new)))
        assert cluster.status(moved).members[0].findings == ()
        assert cluster.status(moved).up_to_date
        with psycopg.connect(new) as conn:
            assert pgwallet.check_ledger(conn) == []
        refuses(old.conninfo, wallets)
        # The file as it was leads nowhere any more, and to mend is that alone.
        there = cluster.status(file).members[1]
        assert {finding.remedy for finding in there.findings} == {"correct the file"}
        with pytest.raises(DeploymentError, match="from which it has moved away"):
            cluster.migrate(file)
        # Again it does nothing, but to see that the routers know.
        assert cluster.move(file, 1, new).paused is None


@contextmanager
def straight_to_the_shard(router: str, wallet: int) -> Iterator[list[float]]:
    """Meanwhile an application deposits 1 again and again, by no router; yields when."""
    done: list[float] = []
    ends = threading.Event()

    def deposit() -> None:
        with pgwallet.Cluster(router) as shards:
            while not ends.is_set():
                shards.run_transaction(
                    lambda conn: pgwallet.deposit(conn, wallet, 1), wallet, attempts=12
                )
                done.append(time.monotonic())

    with ThreadPoolExecutor(1) as thread:
        under_way = thread.submit(deposit)
        try:
            yield done
        finally:
            ends.set()
        under_way.result()


def test_a_move_that_finds_no_moment_leaves_all_as_it_was(
    two_servers: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two_servers
    with clusters.made(first, 2) as file, databases.created(second) as name:
        new = databases.as_owner(make_conninfo(second, dbname=name))
        with (
            psycopg.connect(file.routers[0], autocommit=True) as router,
            psycopg.connect(file.shards[1].conninfo) as direct,
        ):
            wallet = on_shard(router, 1)

            def write(*_: object) -> None:
                """And leave the transaction open."""
                pgwallet.deposit(direct, wallet, 1)

            write()
            with pytest.raises(DeploymentError, match="did not end, and a copy begins between"):
                cluster.move(file, 1, new, wait=0.2)
            direct.rollback()
            with monkeypatch.context() as patch:
                patch.setattr(moving, "_check_way", write)
                with pytest.raises(DeploymentError, match="there was no moment for it"):
                    cluster.move(file, 1, new, wait=0.2)
            direct.commit()
            assert cluster.status(file).up_to_date
            with psycopg.connect(new) as there:
                assert there.execute("select to_regnamespace('pgwallet')").fetchone() == (None,)
            assert pgwallet.deposit(router, wallet, 1).balance == 2
            assert cluster.move(file, 1, new).paused is not None
            assert pgwallet.deposit(router, wallet, 1).balance == 3


def test_a_move_broken_off_once_it_is_decided_is_completed_by_the_same_call(
    two_servers: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two_servers
    with clusters.made(first, 2) as file, databases.created(second) as name:
        new = databases.as_owner(make_conninfo(second, dbname=name))
        with psycopg.connect(file.routers[0], autocommit=True) as router:
            wallet = on_shard(router, 1)
            pgwallet.deposit(router, wallet, 1)
            told: list[int] = []

            def cut(conn: psycopg.Connection, moved: ClusterFile) -> None:
                """Ends the session that would tell the router, when it is about to."""
                making_routers.point_to_shards(conn, moved)
                told.append(conn.info.backend_pid)
                if len(told) == 2:  # the first one only looks whether the router would get there
                    router.execute("select pg_terminate_backend(%s)", [told[-1]])

            monkeypatch.setattr(moving, "point_to_shards", cut)
            with pytest.raises(DeploymentError, match="router 0 was not led to the new place"):
                cluster.move(file, 1, new)
            with pytest.raises(errors.ReadOnlySqlTransaction, match="has moved to another"):
                pgwallet.deposit(router, wallet, 1)
            monkeypatch.undo()
            assert cluster.move(file, 1, new).paused is None
            assert pgwallet.deposit(router, wallet, 1).balance == 2
        moved = replace(file, shards=(file.shards[0], cluster.shard_at(1, new)))
        assert cluster.status(moved).up_to_date


def test_calls_on_other_shards_go_on_in_the_pause(
    two_servers: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two_servers
    with clusters.made(first, 2) as file, databases.created(second) as name:
        new = databases.as_owner(make_conninfo(second, dbname=name))
        with psycopg.connect(file.routers[0], autocommit=True) as router:
            staying, moving_one = on_shard(router, 0), on_shard(router, 1)
            router.execute("set lock_timeout = '100ms'")
            carry_sequences = copying.Copy.carry_sequences

            def call(copy: copying.Copy) -> None:
                """When nothing of the shard may change any more."""
                assert pgwallet.deposit(router, staying, 1).balance == 1
                with pytest.raises(errors.LockNotAvailable):
                    pgwallet.deposit(router, moving_one, 1)
                with pytest.raises(errors.LockNotAvailable):
                    pgwallet.create_project(router, "in the pause")
                carry_sequences(copy)

            monkeypatch.setattr(copying.Copy, "carry_sequences", call)
            cluster.move(file, 1, new)
            assert pgwallet.deposit(router, moving_one, 1).balance == 1


def on_shard(router: psycopg.Connection, shard: int) -> int:
    """A new wallet there."""
    for number in count():
        wallet = pgwallet.create_wallet(router, f"somebody {number}").wallet_id
        if (wallet >> 46) - 1 == shard:
            return wallet
    raise AssertionError


def refuses(old: str, wallets: list[int]) -> None:
    (wallet, *_) = [wallet for wallet in wallets if wallet >> 46 == 2]
    with psycopg.connect(old, autocommit=True) as conn:
        with pytest.raises(
            errors.ReadOnlySqlTransaction, match="shard 1 of cluster tests has moved"
        ):
            pgwallet.deposit(conn, wallet, 1)
        conn.execute("set role none")
        conn.execute("set session_replication_role = replica")
        with pytest.raises(errors.ReadOnlySqlTransaction):
            conn.execute("update pgwallet.settings set fee_rate = 0")
        left = conn.execute("select from pg_replication_slots").fetchall()
        assert left == conn.execute("select from pg_publication").fetchall() == []


def test_what_cannot_move_is_refused_and_stays(whole: ClusterFile, cluster_server: str) -> None:
    with databases.created(cluster_server) as name:
        new = databases.as_owner(make_conninfo(cluster_server, dbname=name))
        for number, conninfo, refusal in (
            (4, new, "there is no shard 4: they are 0 to 3"),
            (1, whole.shards[1].conninfo, "the new place is where the shard is already"),
            (1, whole.shards[2].conninfo, "the new place: this database is not empty"),
            (1, "host=/nowhere dbname=gone", "the new place cannot be reached: "),
            (1, new, "the old server has wal_level = replica"),
        ):
            with pytest.raises(DeploymentError) as refused:
                cluster.move(whole, number, conninfo)
            assert str(refused.value).startswith(refusal)
    assert cluster.status(whole).up_to_date
