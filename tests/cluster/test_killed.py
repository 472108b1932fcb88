"""Servers, sessions and clients of a cluster are killed at any moment, while one after another of
the functions is called that concern several shards. Whoever was not told that a call was done makes
the same call again; in the end each was done once.
"""

import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet import cluster
from tests import clusters, databases, servers
from tests.effort import effort
from tests.faults.server import KillableServer
from tests.ledger.calling import value

TIMES = effort("PGWALLET_CLUSTER_FAULTS", part=2, full=20)
TENTH = Decimal("0.1")
PATIENCE = 60.0  # seconds

_rounds = count(1)


@dataclass(slots=True)
class Cluster:
    """Four shards on one server that can be killed, and their router on another one."""

    shards: KillableServer
    routers: KillableServer
    file: cluster.ClusterFile
    sessions: list[psycopg.Connection] = field(default_factory=list)


@pytest.fixture(scope="module")
def killable(cluster_server: str) -> Iterator[Cluster]:
    if not Path("/proc/thread-self/children").exists():
        pytest.skip("the processes of a server are looked up in /proc, as Linux has it")
    with psycopg.connect(cluster_server) as conn:
        programs = Path(value(conn, "select setting from pg_config where name = 'BINDIR'"))
    with ExitStack() as stack:
        shards, routers = (
            KillableServer(programs, stack.enter_context(servers.directory())) for _ in range(2)
        )
        stack.callback(shards.stop)
        stack.callback(routers.stop)
        owner = sql.SQL("create role {}").format(sql.Identifier(databases.OWNER))
        for server in (shards, routers):
            with psycopg.connect(server.conninfo) as admin:
                admin.execute(owner)
        planned = stack.enter_context(clusters.planned(shards.conninfo))
        router = stack.enter_context(databases.created(routers.conninfo))
        file = cluster.ClusterFile(
            name=planned.name,
            owner=planned.owner,
            role=planned.role,
            shards=planned.shards,
            routers=(make_conninfo(routers.conninfo, dbname=router),),
        )
        cluster.init(file)
        yield Cluster(shards, routers, file)


class Client:
    """Makes each call again, in a new session, until it is told that it was done."""

    def __init__(self, killable: Cluster) -> None:
        self._killable = killable
        self.conn: psycopg.Connection | None = None
        self.repeats = 0

    def __call__(self, call: Callable[[psycopg.Connection], object]) -> object:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                if self.conn is None or self.conn.closed:
                    self.conn = psycopg.connect(self._killable.file.routers[0], autocommit=True)
                return call(self.conn)
            except psycopg.OperationalError:
                # 08001 and 08007 of a shard leave the session as it is.
                assert time.monotonic() < deadline, "it does not come back"
                self.repeats += 1
                time.sleep(0.02)

    def close(self) -> None:
        if self.conn is not None:
            self.conn.close()


def campaign(call: Client, suffix: str) -> dict[str, Decimal]:
    """All that concerns several shards, once; returns what everybody has in the end."""
    owners = [f"killed {suffix} {number}" for number in range(8)]
    wallets = [_wallet(call, owner) for owner in owners]
    paid = [f"paid {suffix} {number}" for number in range(8)]
    pledged = [f"pledged {suffix} {number}" for number in range(8)]
    call(lambda conn: pgwallet.deposit_many(conn, wallets, [100] * 8, paid))
    call(
        lambda conn: pgwallet.create_project(
            conn, f"killed {suffix}", commission_rate=TENTH, fee_rate=TENTH
        )
    )
    project = call(
        lambda conn: (
            pgwallet.create_project(
                conn, f"killed {suffix}", commission_rate=TENTH, fee_rate=TENTH
            ).project_id
        )
    )
    assert isinstance(project, int)
    call(lambda conn: pgwallet.pledge_many(conn, project, wallets, [50] * 8, pledged))
    call(lambda conn: pgwallet.close_project(conn, project, "succeeded"))
    call(lambda conn: [*pgwallet.release_project(conn, project, batch_size=3)])
    call(lambda conn: pgwallet.payout(conn, project, 310, f"payout {suffix}"))
    call(lambda conn: pgwallet.transfer(conn, wallets[0], wallets[5], 20, f"to 5 {suffix}"))
    call(lambda conn: pgwallet.transfer(conn, wallets[6], wallets[1], 7, f"to 1 {suffix}"))
    call(lambda conn: pgwallet.collect_earnings(conn, "EUR", "commission", 40, f"earned {suffix}"))
    return {
        "project": _balance(call, project),
        **{f"wallet {number}": _balance(call, wallet) for number, wallet in enumerate(wallets)},
    }


EXPECTED = {
    "project": Decimal(10),
    "wallet 0": Decimal(30),
    "wallet 1": Decimal(57),
    "wallet 2": Decimal(50),
    "wallet 3": Decimal(50),
    "wallet 4": Decimal(50),
    "wallet 5": Decimal(70),
    "wallet 6": Decimal(43),
    "wallet 7": Decimal(50),
}


def _wallet(call: Client, owner: str) -> int:
    wallet = call(lambda conn: pgwallet.create_wallet(conn, owner).wallet_id)
    assert isinstance(wallet, int)
    return wallet


def _balance(call: Client, account: int) -> Decimal:
    balance = call(lambda conn: pgwallet.balance(conn, account))
    assert isinstance(balance, Decimal)
    return balance


def a_shard_killed(killable: Cluster, client: Client) -> None:
    killable.shards.kill()
    killable.shards.start()


def a_router_killed(killable: Cluster, client: Client) -> None:
    killable.routers.kill()
    killable.routers.start()


def a_session_ended(killable: Cluster, client: Client) -> None:
    with psycopg.connect(killable.file.routers[0], autocommit=True) as admin:
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )


def a_client_killed(killable: Cluster, client: Client) -> None:
    """All that a server sees of it: its end of the connection is closed."""
    with suppress(OSError, psycopg.Error):
        if client.conn is not None:
            with socket.socket(fileno=os.dup(client.conn.fileno())) as end:
                end.shutdown(socket.SHUT_RDWR)


FAULTS = (a_shard_killed, a_router_killed, a_session_ended, a_client_killed)


@pytest.mark.timeout(120 + 20 * TIMES)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda each: each.__name__)
def test_every_call_is_done_once_whatever_is_killed(
    killable: Cluster, fault: Callable[[Cluster, Client], None]
) -> None:
    began = time.monotonic()
    with closing(Client(killable)) as client:
        assert campaign(client, f"{fault.__name__} alone {next(_rounds)}") == EXPECTED
        took = time.monotonic() - began
        _strike_often(killable, client, fault, took)
    with psycopg.connect(killable.file.routers[0], autocommit=True) as conn:
        assert pgwallet.check_ledger(conn) == []


def _strike_often(
    killable: Cluster, client: Client, fault: Callable[[Cluster, Client], None], took: float
) -> None:
    for _ in range(TIMES):
        moment = random.uniform(0, took)
        strike = threading.Timer(moment, fault, [killable, client])
        strike.start()
        try:
            left = campaign(client, f"{fault.__name__} {next(_rounds)}")
        finally:
            strike.join()
        assert left == EXPECTED, f"{fault.__name__} after {moment:.3f} s of {took:.3f} s"
