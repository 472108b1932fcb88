"""Readers of the feed while everything goes wrong: each of them gets every posting once, in order.

Writers at all levels of isolation commit, roll back and sit on open transactions; the server is
killed under them, and readers lose their connections and what they had not kept yet.
"""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg import IsolationLevel

import pgwallet
from tests.faults.repeating import TIMES, count
from tests.faults.server import KillableServer
from tests.ledger.calling import funded

WRITERS, READERS = 16, 5
# How many postings the slowest reader has to come on between two kills.
POSTINGS = 60
DEADLINE = 120.0  # seconds
LEVELS = (
    IsolationLevel.READ_COMMITTED,
    IsolationLevel.REPEATABLE_READ,
    IsolationLevel.SERIALIZABLE,
)


class Fire:
    """What the threads share: the database, and when to stop."""

    def __init__(self, conninfo: str, wallets: list[int]) -> None:
        self.conninfo = conninfo
        self.wallets = wallets
        self.over = threading.Event()

    def until_over(self, work: Callable[[], None]) -> None:
        """Begins again on a new connection whenever the last one was lost."""
        while not self.over.is_set():
            try:
                work()
            except (psycopg.OperationalError, psycopg.errors.SerializationFailure):
                time.sleep(0.05)

    def write(self, number: int) -> None:
        chance = random.Random(number)

        def work() -> None:
            with psycopg.connect(self.conninfo) as conn:
                conn.isolation_level = LEVELS[number % len(LEVELS)]
                while not self.over.is_set():
                    for _ in range(chance.choice((1, 1, 1, 3))):
                        pgwallet.deposit(conn, chance.choice(self.wallets), 1)
                    if chance.random() < 0.05:
                        time.sleep(chance.random() / 2)
                    if chance.random() < 0.2:
                        conn.rollback()
                    else:
                        conn.commit()

        self.until_over(work)


class Reader:
    """Keeps what it was given, but for a batch that it loses with its connection now and then."""

    def __init__(self, number: int) -> None:
        self.kept: list[int] = []
        self._chance = random.Random(1000 + number)

    @property
    def after(self) -> int:
        return self.kept[-1] if self.kept else 0

    def read(self, fire: Fire) -> None:
        def work() -> None:
            with psycopg.connect(fire.conninfo) as conn:
                for batch in pgwallet.feed(conn, self.after, follow=True, limit=50):
                    if self._chance.random() < 0.02:
                        raise psycopg.OperationalError("killed before it had kept the batch")
                    self.kept += [row.posting_id for row in batch]
                    if fire.over.is_set():
                        return

        fire.until_over(work)

    def read_the_rest(self, conn: psycopg.Connection) -> None:
        for batch in pgwallet.feed(conn, self.after):
            self.kept += [row.posting_id for row in batch]


def test_every_reader_has_each_posting_once_in_order_after_kills_of_the_server(
    killable: KillableServer, database: str
) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        fire = Fire(database, [funded(conn, f"owner {number}", 0) for number in range(40)])
    readers = [Reader(number) for number in range(READERS)]
    with ThreadPoolExecutor(WRITERS + READERS) as threads:
        work = [threads.submit(fire.write, number) for number in range(WRITERS)]
        work += [threads.submit(reader.read, fire) for reader in readers]
        try:
            for _ in range(TIMES):
                goal = min(len(reader.kept) for reader in readers) + POSTINGS
                deadline = time.monotonic() + DEADLINE
                while min(len(reader.kept) for reader in readers) < goal:
                    assert time.monotonic() < deadline, "the readers do not come on"
                    assert not any(each.done() for each in work)
                    time.sleep(0.02)
                killable.kill()
                killable.start()
                count("server killed under the feed", 0)
        finally:
            fire.over.set()
        for each in work:
            each.result()

    with psycopg.connect(database, autocommit=True) as conn:
        rows = conn.execute("select posting_id from pgwallet.posting order by posting_id")
        ids = [row[0] for row in rows.fetchall()]
        assert len(ids) >= TIMES * POSTINGS
        for reader in readers:
            reader.read_the_rest(conn)
            assert reader.kept == ids
        assert pgwallet.check_ledger(conn) == []
