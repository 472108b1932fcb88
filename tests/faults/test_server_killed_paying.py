"""A server that is killed under clients who pay in and allocate moves each key's money once."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count as numbers
from queue import SimpleQueue

import psycopg
import pytest

import pgwallet
from tests.concurrency.sessions import at_once
from tests.conftest import Connect
from tests.faults.keyed_calls import Answer, KeyedCall, Wallets, recorded, wallets_in
from tests.faults.repeating import count, repeatedly
from tests.faults.server import KillableServer
from tests.faults.watching import wait_until_writing

PATIENCE = 60.0  # seconds
CLIENTS = 4

MakeCall = Callable[[Wallets, str, random.Random], KeyedCall]
Answered = tuple[KeyedCall, Answer]


def work_until_cut(
    conn: psycopg.Connection, make: Callable[[str], KeyedCall], tell: Callable[[Answered], None]
) -> KeyedCall:
    """Calls and calls, and returns the call that got no answer."""
    for number in numbers():
        call = make(str(number))
        try:
            tell((call, call.run(conn)))
        except psycopg.OperationalError:
            break
    return call


def check_moved(conn: psycopg.Connection, answered: list[Answered]) -> None:
    """Sees that these calls moved what they had to, and nothing else moved."""
    assert pgwallet.check_ledger(conn) == []
    assert recorded(conn) == {
        key: (transaction_id, moves)
        for call, answer in answered
        for (key, moves), (transaction_id, _) in zip(call.moves.items(), answer, strict=True)
    }


@repeatedly
@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param([Wallets.deposit_many], id="deposit_many"),
        pytest.param([Wallets.allocate_deposit, Wallets.allocate_deposits], id="allocation"),
    ],
)
def test_each_key_moves_its_money_once_through_a_crash_of_the_server(
    killable: KillableServer, database: str, connect: Connect, kinds: list[MakeCall], number: int
) -> None:
    rng = random.Random(number)
    observer = connect()
    wallets = wallets_in(observer)
    heard: SimpleQueue[Answered] = SimpleQueue()

    def client(place: int, conn: psycopg.Connection) -> KeyedCall:
        make, own_rng = kinds[place % len(kinds)], random.Random(f"{number} {place}")
        return work_until_cut(
            conn, lambda name: make(wallets, f"client {place}: {name}", own_rng), heard.put
        )

    conns = [connect(autocommit=True) for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as threads:
        working = [threads.submit(client, place, conn) for place, conn in enumerate(conns)]
        try:
            answered = [heard.get(timeout=PATIENCE) for _ in range(rng.randint(CLIENTS, 20))]
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
    count(f"server killed while clients call {kinds[0].__name__}", len(committed))
    check_moved(
        observer,
        answered + [(call, [(kept[key][0], True) for key in call.moves]) for call in committed],
    )

    answers = at_once([partial(call.run, connect(autocommit=True)) for call in unanswered])
    for call, answer in zip(unanswered, answers, strict=True):
        assert {replayed for _, replayed in answer} == {call in committed}
    check_moved(observer, answered + list(zip(unanswered, answers, strict=True)))
