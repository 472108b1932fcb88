"""A server that is killed under clients who move money moves that of each key once."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from functools import partial
from itertools import count as numbers
from queue import Empty, SimpleQueue

import psycopg
import pytest

import pgwallet
from tests.catalogue.calls import BULK, MOVING, SINGLE
from tests.catalogue.keyed_calls import Answer, KeyedCall, keyed_call, recorded
from tests.catalogue.world import World, world_in
from tests.concurrency.sessions import at_once
from tests.conftest import Connect
from tests.faults.repeating import count, repeatedly
from tests.faults.server import KillableServer
from tests.faults.watching import wait_until_writing

PATIENCE = 60.0  # seconds
CLIENTS = 4

WORLDS = 10
ELEMENTS = 200  # of a bulk call, so that there is time to be killed in the midst of it

# A client makes the same call many times, by dimes.
REPEATABLE = [name for name in SINGLE if name in MOVING]

Answered = tuple[KeyedCall, Answer]


def worlds_in(conn: psycopg.Connection) -> list[World]:
    """With more money than a test will move by dimes; committed."""
    worlds = [world_in(conn, f" {number}") for number in range(WORLDS)]
    for world in worlds:
        pgwallet.deposit(conn, world.wallet, 10**6)
    conn.commit()
    return worlds


def work_until_cut(
    conn: psycopg.Connection,
    calls: Iterator[KeyedCall],
    tell: Callable[[Answered], None],
) -> KeyedCall:
    """Calls and calls, and returns the call that got no answer."""
    for call in calls:
        try:
            tell((call, call.answer(conn)))
        except psycopg.OperationalError:
            break
    return call


def heard_of(
    working: list[Future[KeyedCall]], heard: SimpleQueue[Answered], enough: int
) -> list[Answered]:
    """So many answers; fewer if a client has ended, which only a failure makes it do."""
    answered: list[Answered] = []
    while len(answered) < enough and not any(client.done() for client in working):
        with suppress(Empty):
            answered.append(heard.get(timeout=0.1))
    return answered


def check_moved(conn: psycopg.Connection, answered: list[Answered]) -> None:
    """Sees that these calls moved what they had to, and nothing else moved."""
    assert pgwallet.check_ledger(conn) == []
    assert recorded(conn) == {
        key: (transaction_id, moves)
        for call, answer in answered
        for (key, moves), (transaction_id, _) in zip(call.moves.items(), answer, strict=True)
    }


@repeatedly
@pytest.mark.parametrize("names", [BULK, REPEATABLE], ids=["bulk", "single"])
def test_each_key_moves_its_money_once_through_a_crash_of_the_server(
    killable: KillableServer, database: str, connect: Connect, names: list[str], number: int
) -> None:
    rng = random.Random(number)
    observer = connect()
    worlds = worlds_in(observer)
    heard: SimpleQueue[Answered] = SimpleQueue()

    def calls(place: int) -> Iterator[KeyedCall]:
        """Each client begins with another function."""
        own_rng = random.Random(f"{number} {place}")
        for turn in numbers():
            elements = [
                (world, Decimal(own_rng.randint(1, 3)) / 10)  # a tenth of which is whole cents
                for world in own_rng.choices(worlds, k=ELEMENTS)
            ]
            name = names[(number + place + turn * CLIENTS) % len(names)]
            yield keyed_call(name, f"client {place}: {turn}", elements)

    def client(place: int, conn: psycopg.Connection) -> KeyedCall:
        return work_until_cut(conn, calls(place), heard.put)

    conns = [connect(autocommit=True) for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as threads:
        working = [threads.submit(client, place, conn) for place, conn in enumerate(conns)]
        try:
            answered = heard_of(working, heard, len(names) + rng.randint(1, 20))
            time.sleep(rng.uniform(0, 0.03))
            wait_until_writing(observer)
        finally:
            killable.kill()  # whatever has failed, this ends the clients
        unanswered = [future.result(PATIENCE) for future in working]
    while not heard.empty():
        answered.append(heard.get())

    killable.start()
    observer = connect()
    kept = recorded(observer)
    committed = [call for call in unanswered if any(key in kept for key in call.moves)]
    assert all(key in kept for call in committed for key in call.moves), "half of a call is there"
    count(f"server killed while clients call {', '.join(names)}", len(committed))
    check_moved(
        observer,
        answered + [(call, [(kept[key][0], True) for key in call.moves]) for call in committed],
    )

    answers = at_once([partial(call.answer, connect(autocommit=True)) for call in unanswered])
    for call, answer in zip(unanswered, answers, strict=True):
        assert {replayed for _, replayed in answer} == {call in committed}
    check_moved(observer, answered + list(zip(unanswered, answers, strict=True)))
