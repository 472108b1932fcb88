"""A cluster comes back to a point in time, by the steps of the page."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet import cluster, embedded
from tests import databases, servers
from tests.cli.command import pgwallet_here
from tests.clusters import ROLE, written

DEADLINE = 60.0
POINT = "noon"


def _given_to_account(path: Path, like: Path) -> None:
    owner = like.stat()
    for each in (path, *path.rglob("*")):
        os.chown(each, owner.st_uid, owner.st_gid)


class Archived:
    """A server that archives its log, a copy of its data, and the same at the point in time."""

    def __init__(self, place: Path, name: str, stack: ExitStack) -> None:
        self._data, self._copy = place / name, place / f"{name}-copy"
        self._log = place / f"{name}-log"
        self._log.mkdir()
        with servers.started(servers._installed_programs(), self._data) as first:
            self._programs = first.bin_path
            servers._need_plproxy(first.conninfo)
            with psycopg.connect(first.conninfo, autocommit=True) as conn:
                conn.execute("alter system set archive_mode = on")
                conn.execute(f"alter system set archive_command = 'cp %p {self._log}/%f'".encode())
        _given_to_account(self._log, self._data)
        self.server = stack.enter_context(embedded.Server(self._programs, self._data))
        self._stack = stack
        self.conninfo = self.server.conninfo

    def copy(self) -> None:
        subprocess.run(
            [
                self._programs / "pg_basebackup",
                *("--checkpoint=fast", "--wal-method=none"),
                *(f"--pgdata={self._copy}", f"--dbname={self.conninfo}"),
            ],
            check=True,
            capture_output=True,
        )

    def mark(self) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as conn:
            conn.execute("select pg_create_restore_point(%s)", [POINT])

    def archive(self) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as conn:
            row = conn.execute("select pg_walfile_name(pg_switch_wal())").fetchone()
        assert row is not None
        deadline = time.monotonic() + DEADLINE
        while not (self._log / row[0]).exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def restore(self) -> None:
        self.server.stop()
        (self._copy / "recovery.signal").touch()
        with (self._copy / "postgresql.auto.conf").open("a") as settings:
            settings.write(
                f"restore_command = 'cp {self._log}/%f %p'\n"
                f"recovery_target_name = '{POINT}'\nrecovery_target_action = 'promote'\n"
            )
        for left in ("postmaster.pid", "server.log"):
            (self._copy / left).unlink(missing_ok=True)
        _given_to_account(self._copy, self._data)
        self._copy.chmod(0o700)
        self.server = self._stack.enter_context(embedded.Server(self._programs, self._copy))
        self.conninfo = self.server.conninfo
        deadline = time.monotonic() + DEADLINE
        with psycopg.connect(self.conninfo, autocommit=True) as conn:
            while conn.execute("select pg_is_in_recovery()").fetchone() == (True,):
                assert time.monotonic() < deadline
                time.sleep(0.05)


@pytest.fixture
def two() -> Iterator[tuple[Archived, Archived]]:
    with servers.directory() as place, ExitStack() as stack:
        place.chmod(0o755)
        yield Archived(place, "first", stack), Archived(place, "second", stack)


@contextmanager
def _to(file: cluster.ClusterFile) -> Iterator[psycopg.Connection]:
    with psycopg.connect(file.routers[0], autocommit=True) as conn:
        yield conn


def _file(first: Archived, second: Archived, router: str) -> cluster.ClusterFile:
    places = (
        databases.as_owner(make_conninfo(first.conninfo, dbname="shard0")),
        databases.as_owner(make_conninfo(second.conninfo, dbname="shard1")),
    )
    return cluster.ClusterFile(
        name="shop",
        owner=databases.OWNER,
        role=ROLE,
        shards=tuple(cluster.shard_at(number, place) for number, place in enumerate(places)),
        routers=(make_conninfo(first.conninfo, dbname=router),),
    )


def _deposit_and_pledge(router: psycopg.Connection, wallets: list[int], project: int) -> None:
    for wallet in wallets:
        pgwallet.deposit(router, wallet, 50, f"deposit {wallet}")
        pgwallet.pledge(router, wallet, project, 20, idempotency_key=f"pledge {wallet}")


def test_all_shards_come_back_to_a_point_and_what_was_lost_is_made_again(
    two: tuple[Archived, Archived], tmp_path: Path
) -> None:
    first, second = two
    for each in two:
        with psycopg.connect(each.conninfo, autocommit=True) as conn:
            conn.execute(f"create role {databases.OWNER}".encode())
            name = "shard0" if each is first else "shard1"
            conn.execute(f"create database {name} owner {databases.OWNER}".encode())
    with psycopg.connect(first.conninfo, autocommit=True) as conn:
        conn.execute("create database shop")
    file = _file(first, second, "shop")
    cluster.init(file)
    for each in two:
        each.copy()

    # What is there at the point, what is between its two moments, and what comes after it.
    with _to(file) as router:
        on = {
            shard: next(
                wallet
                for wallet in (
                    pgwallet.create_wallet(router, f"{shard} {n}").wallet_id for n in range(50)
                )
                if wallet >> 46 == shard + 1
            )
            for shard in (0, 1)
        }
        wallets = [*on.values()]
        project = pgwallet.create_project(router, "film", commission_rate=0, fee_rate=0).project_id
        _deposit_and_pledge(router, wallets, project)
        pgwallet.close_project(router, project, "succeeded")
        for _ in pgwallet.release_project(router, project):
            pass
        first.mark()
        for number in range(4):  # of either home, in both directions
            pgwallet.transfer(router, on[number % 2], on[1 - number % 2], 5, f"between {number}")
            pgwallet.payout(router, project, 8, f"paid {number}")
        half = pgwallet.create_project(router, "between").project_id
        second.mark()
        pgwallet.transfer(router, on[0], on[1], 7, "after")
        pgwallet.create_project(router, "after")
    for each in two:
        each.archive()
        each.restore()

    with psycopg.connect(first.conninfo, autocommit=True) as conn:
        conn.execute("create database new_shop")
    file = _file(first, second, "new_shop")
    path = written(file, tmp_path / "cluster.toml")
    assert pgwallet_here("cluster", "init", path).returncode == 0
    for shard in file.shards:
        recovered = pgwallet_here("recovered", "--yes", "--database-url", shard.conninfo)
        assert recovered.returncode == 0, recovered.stderr
    completed = pgwallet_here("cluster", "complete", path)
    assert completed.returncode == 0, completed.stdout + completed.stderr

    with _to(file) as router:
        for number in range(4):
            pgwallet.transfer(router, on[number % 2], on[1 - number % 2], 5, f"between {number}")
            pgwallet.payout(router, project, 8, f"paid {number}")
        pgwallet.transfer(router, on[0], on[1], 7, "after")
        # Made on the first shard after its point; where the second had it, both have it again.
        found = pgwallet.find_project(router, "between")
        assert found is None or found.project_id == half
        pgwallet.create_project(router, "after")
        assert [pgwallet.balance(router, wallet) for wallet in wallets] == [23, 37]
        assert pgwallet.balance(router, project) == 40 - 32
    sound = pgwallet_here("cluster", "check", path)
    assert sound.returncode == 0, sound.stdout + sound.stderr
