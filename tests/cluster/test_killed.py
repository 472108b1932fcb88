"""Servers, sessions and clients of a cluster are killed at any moment of a call of each function
that writes on several shards. Whoever was not told that a call was done makes the same call again,
at times while another session completes what was left; in the end each was done once.

Each fault strikes one function after another, in CI all of them. PGWALLET_CLUSTER_FAULTS=200 has it
strike so often.
"""

import os
import random
import socket
import time
from collections.abc import Callable
from contextlib import closing, suppress
from itertools import count, cycle, islice
from threading import Thread
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.cluster.killing import Client, Killable
from tests.cluster.spread_calls import ALL, Make
from tests.effort import effort

STRIKES = effort("PGWALLET_CLUSTER_FAULTS", part=4, full=len(ALL))

Fault = Callable[[Killable, Client], None]

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


# By how often at most each strikes while a call is made.
FAULTS: dict[Fault, int] = {
    a_shard_killed: 1,
    a_router_killed: 1,
    a_session_ended: 3,
    a_client_killed: 3,
}


@pytest.mark.timeout(120 + 10 * STRIKES)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda each: each.__name__)
def test_every_call_is_done_once_whatever_is_killed(killable: Killable, fault: Fault) -> None:
    with closing(Client(killable.router)) as client, closing(Client(killable.router)) as maker:
        alone: dict[Make, tuple[float, object]] = {}
        for make in islice(cycle(random.sample(ALL, len(ALL))), STRIKES):
            if make not in alone:
                alone[make] = _alone(client, maker, make)
            took, expected = alone[make]
            moments = [random.uniform(0, took) for _ in range(random.randint(1, FAULTS[fault]))]

            def strike(moments: list[float] = moments) -> None:
                for moment in moments:
                    time.sleep(moment)
                    fault(killable, client)
                if random.random() < 0.5:
                    maker(_complete)

            left = _struck(client, maker, make, Thread(target=strike))
            assert left == expected, f"{make.__name__}, which takes {took:.3f} s, after {moments}"
        print(f"{fault.__name__}: {STRIKES} calls struck, {client.repeats} attempts broken off")
    with psycopg.connect(killable.router, autocommit=True) as conn:
        assert conn.execute("select from pgwallet.complete_plans('0')").fetchall() == []
        assert pgwallet.check_ledger(conn) == []


def _alone(client: Client, maker: Client, make: Make) -> tuple[float, object]:
    """How long the call takes where nothing happens, and what it leaves."""
    call, outcome = maker(lambda conn: make(conn, _name(make)))
    began = time.monotonic()
    client(call)
    return time.monotonic() - began, maker(outcome)


def _struck(client: Client, maker: Client, make: Make, strike: Thread) -> object:
    """What the call leaves; made once more it returns what it did."""
    call, outcome = maker(lambda conn: make(conn, _name(make)))
    strike.start()
    try:
        first = _transactions(client(call))
    finally:
        strike.join()
    if first:
        again = client(call)
        assert _transactions(again) == first, make.__name__
        assert all(row.replayed for row in _rows(again)), make.__name__
    return maker(outcome)


def _complete(conn: psycopg.Connection) -> None:
    conn.execute("select from pgwallet.complete_plans('0')")


def _rows(answer: object) -> list[Any]:
    """What moved money, of calls with keys: none of a batch, which is another one each time."""
    rows = answer if isinstance(answer, list) else [answer]
    batches = (pgwallet.ReleaseBatch, pgwallet.RefundBatch, pgwallet.ExpiredBatch)
    return [row for row in rows if hasattr(row, "replayed") and not isinstance(row, batches)]


def _transactions(answer: object) -> list[int]:
    return [row.transaction_id for row in _rows(answer)]


def _name(make: Make) -> str:
    return f"killed {make.__name__} {next(_rounds)}"
