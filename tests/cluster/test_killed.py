"""Servers, sessions and clients of a cluster are killed at any moment of a call of each function
that writes on several shards. Whoever was not told that a call was done makes the same call again;
in the end each was done once.

Each fault strikes one function after another. PGWALLET_CLUSTER_FAULTS=200 has it strike so often.
"""

import os
import random
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from itertools import count, cycle, islice

import psycopg
import pytest

import pgwallet
from tests.cluster.killing import Client, Killable
from tests.cluster.spread_calls import ALL, Make
from tests.effort import effort

STRIKES = effort("PGWALLET_CLUSTER_FAULTS", part=4, full=20)

_rounds = count(1)


def a_shard_killed(killable: Killable, client: Client) -> None:
    """With another one, on the same server."""
    server = random.choice(killable.shards)
    server.kill()
    server.start()


def a_router_killed(killable: Killable, client: Client) -> None:
    killable.routers.kill()
    killable.routers.start()


def a_session_ended(killable: Killable, client: Client) -> None:
    with psycopg.connect(killable.router, autocommit=True) as admin:
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )


def a_client_killed(killable: Killable, client: Client) -> None:
    """All that a server sees of it: its end of the connection is closed."""
    with suppress(OSError, psycopg.Error):
        if client.conn is not None:
            with socket.socket(fileno=os.dup(client.conn.fileno())) as end:
                end.shutdown(socket.SHUT_RDWR)


FAULTS = (a_shard_killed, a_router_killed, a_session_ended, a_client_killed)


@pytest.mark.timeout(120 + 10 * STRIKES)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda each: each.__name__)
def test_every_call_is_done_once_whatever_is_killed(
    killable: Killable, fault: Callable[[Killable, Client], None]
) -> None:
    with closing(Client(killable.router)) as client, closing(Client(killable.router)) as maker:
        alone: dict[Make, tuple[float, object]] = {}
        for make in islice(cycle(random.sample(ALL, len(ALL))), STRIKES):
            if make not in alone:
                alone[make] = _alone(client, maker, make)
            took, expected = alone[make]
            moment = random.uniform(0, took)
            strike = threading.Timer(moment, fault, [killable, client])
            left = _struck(client, maker, make, strike)
            assert left == expected, f"{make.__name__} after {moment:.3f} s of {took:.3f} s"
    with psycopg.connect(killable.router, autocommit=True) as conn:
        assert conn.execute("select from pgwallet.complete_plans('0')").fetchall() == []
        assert pgwallet.check_ledger(conn) == []


def _alone(client: Client, maker: Client, make: Make) -> tuple[float, object]:
    """How long the call takes where nothing happens, and what it leaves."""
    call, outcome = maker(lambda conn: make(conn, _name(make)))
    began = time.monotonic()
    client(call)
    return time.monotonic() - began, maker(outcome)


def _struck(client: Client, maker: Client, make: Make, strike: threading.Timer) -> object:
    call, outcome = maker(lambda conn: make(conn, _name(make)))
    strike.start()
    try:
        client(call)
    finally:
        strike.join()
    return maker(outcome)


def _name(make: Make) -> str:
    return f"killed {make.__name__} {next(_rounds)}"
