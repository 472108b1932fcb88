"""A connection between router and shard is lost in the middle of a call: the same call again ends
what it began, once.

Each message of the call is lost once on its way to a shard, so before the shard has done anything,
and once on its way back, when the shard has committed; by default some of them are, drawn anew.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet import cluster
from tests import databases
from tests.cluster.conftest import wallets_on_all_shards
from tests.effort import effort
from tests.faults.relay import Relay, relay_to

# What a call says that was cut off: not done at all, or perhaps done.
LOST = ("08001", "08007")
RATE = Decimal("0.1")
ROUNDS = effort("PGWALLET_CLUSTER_CUTS", part=2, full=1000)


@pytest.fixture(scope="module")
def relay(cluster_server: str) -> Iterator[Relay]:
    with psycopg.connect(cluster_server) as conn:
        directory, port = conn.info.host, conn.info.port
    with relay_to(Path(directory) / f".s.PGSQL.{port}") as relay:
        yield relay


@pytest.fixture(scope="module")
def far_router(cluster_server: str, whole: cluster.ClusterFile, relay: Relay) -> Iterator[str]:
    """Conninfo of one more router of the cluster, which reaches the shards through the relay."""
    with databases.created(cluster_server) as name:
        conninfo = make_conninfo(cluster_server, dbname=name)
        shards = tuple(
            replace(shard, through=make_conninfo(shard.through, host="127.0.0.1", port=relay.port))
            for shard in whole.shards
        )
        cluster.init(replace(whole, shards=shards, routers=(conninfo,)))
        yield conninfo


class Messages:
    """Counts statements for shards, and loses the one of that number, or the answer to it."""

    def __init__(self, lost: int | None, *, done: bool) -> None:
        self._lost, self._done = lost, done
        self.count = 0

    def __call__(self, from_client: bool, data: bytes) -> int | None:
        if from_client and b"pgwallet_call." in data:
            self.count += 1
        is_it = self._lost is not None and self.count >= self._lost
        return 0 if is_it and from_client != self._done else None


Made = tuple[Callable[[], object], Callable[[], object]]


def cut_everywhere(
    conninfo: str, relay: Relay, make: Callable[[psycopg.Connection, str], Made], *, done: bool
) -> int:
    """How many messages the call takes. One is lost in each round, and the call is made again: what
    the rounds leave is the same as where none was lost.
    """
    with psycopg.connect(conninfo, autocommit=True) as conn:
        call, outcome = make(conn, f"whole {done}")
        relay.cut = whole = Messages(None, done=done)
        call()
        relay.cut = None
        expected = outcome()
        numbers = range(1, whole.count + 1)
        for number in random.sample(numbers, min(ROUNDS, whole.count)):
            call, outcome = make(conn, f"{number} {done}")
            relay.cut = Messages(number, done=done)
            said = None
            try:
                call()
            except psycopg.OperationalError as error:
                said = error.sqlstate
            was_cut, relay.cut = relay.cut is None, None
            assert was_cut, f"message {number} never came"
            assert said in LOST, f"after message {number}"
            call()
            assert outcome() == expected, f"after message {number}"
    return whole.count


def creating(conn: psycopg.Connection, suffix: str) -> Made:
    reference = f"cut off {suffix}"

    def projects() -> object:
        made = pgwallet.create_project(conn, reference, commission_rate=RATE)
        return made.commission_rate, made.status

    return lambda: pgwallet.create_project(conn, reference, commission_rate=RATE), projects


def closing(conn: psycopg.Connection, suffix: str) -> Made:
    project = pgwallet.create_project(conn, f"cut off closing {suffix}").project_id

    def outcome() -> object:
        with pytest.raises(pgwallet.ProjectClosed):
            pgwallet.close_project(conn, project, "failed")
        return pgwallet.close_project(conn, project, "succeeded").status

    return lambda: pgwallet.close_project(conn, project, "succeeded"), outcome


def _spread(conn: psycopg.Connection, suffix: str) -> list[int]:
    """A wallet with 100 on each shard."""
    wallets = wallets_on_all_shards(conn, f"cut off {suffix}")
    for wallet in wallets:
        pgwallet.deposit(conn, wallet, 100)
    return wallets


def _backed(conn: psycopg.Connection, suffix: str) -> tuple[list[int], int]:
    """Wallets, one a shard, each with a pledge of 50 to a project, whose rates are a tenth."""
    wallets = _spread(conn, suffix)
    project = pgwallet.create_project(
        conn, f"cut off {suffix}", commission_rate=RATE, fee_rate=RATE
    ).project_id
    for wallet in wallets:
        pgwallet.pledge(conn, wallet, project, 50)
    return wallets, project


def _balances(conn: psycopg.Connection, *accounts: int) -> object:
    return [pgwallet.balance(conn, account) for account in accounts]


def depositing(conn: psycopg.Connection, suffix: str) -> Made:
    wallets = _spread(conn, f"depositing {suffix}")
    keys = [f"cut off depositing {suffix} {wallet}" for wallet in wallets]
    return (
        lambda: pgwallet.deposit_many(conn, wallets, [10] * len(wallets), keys),
        lambda: _balances(conn, *wallets),
    )


def pledging(conn: psycopg.Connection, suffix: str) -> Made:
    wallets = _spread(conn, f"pledging {suffix}")
    project = pgwallet.create_project(conn, f"cut off pledging {suffix}").project_id
    keys = [f"cut off pledging {suffix} {wallet}" for wallet in wallets]
    return (
        lambda: pgwallet.pledge_many(conn, project, wallets, [10] * len(wallets), keys),
        lambda: (
            _balances(conn, *wallets),
            pgwallet.get_project(conn, project).locked_amount,
        ),
    )


def releasing(conn: psycopg.Connection, suffix: str) -> Made:
    wallets, project = _backed(conn, f"releasing {suffix}")
    return (
        lambda: [*pgwallet.release_project(conn, project)],
        lambda: _balances(conn, project, *wallets),
    )


def refunding(conn: psycopg.Connection, suffix: str) -> Made:
    wallets, project = _backed(conn, f"refunding {suffix}")
    return (
        lambda: [*pgwallet.refund_project(conn, project)],
        lambda: _balances(conn, project, *wallets),
    )


def paying_out(conn: psycopg.Connection, suffix: str) -> Made:
    _, project = _backed(conn, f"paying out {suffix}")
    list(pgwallet.release_project(conn, project))
    return (
        lambda: pgwallet.payout(conn, project, 155, f"cut off paying out {suffix}"),
        lambda: _balances(conn, project),
    )


def transferring(conn: psycopg.Connection, suffix: str) -> Made:
    wallets = _spread(conn, f"transferring {suffix}")
    return (
        lambda: pgwallet.transfer(
            conn, wallets[0], wallets[3], 30, f"cut off transferring {suffix}"
        ),
        lambda: _balances(conn, *wallets),
    )


CALLS = (
    creating,
    closing,
    depositing,
    pledging,
    releasing,
    refunding,
    paying_out,
    transferring,
)


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("make", CALLS, ids=lambda each: each.__name__)
def test_the_same_call_again_completes_what_was_cut_off(
    far_router: str,
    relay: Relay,
    make: Callable[[psycopg.Connection, str], Made],
    done: bool,
) -> None:
    # A transfer concerns two shards, and where the plan is; the others all four.
    assert cut_everywhere(far_router, relay, make, done=done) >= (2 if make is transferring else 4)
    with psycopg.connect(far_router, autocommit=True) as conn:
        assert pgwallet.check_ledger(conn) == []
