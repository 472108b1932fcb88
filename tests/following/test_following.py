"""pgwallet.feed: batches, sync and async, at least once."""

import asyncio
import threading
from typing import Any, NamedTuple

import psycopg
import pytest

import pgwallet
from tests.concurrency.calls import fresh
from tests.conftest import Connect
from tests.ledger.calling import funded, last_posting


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


class Ledger(NamedTuple):
    """A wallet with five new postings, and the last id before them."""

    conn: psycopg.Connection
    wallet_id: int
    start: int


@pytest.fixture
def ledger(connect: Connect) -> Ledger:
    conn = connect(autocommit=True)
    wallet_id = funded(conn, fresh("ada"), 1)
    start = last_posting(conn, wallet_id)
    for _ in range(5):
        pgwallet.deposit(conn, wallet_id, 1)
    return Ledger(conn, wallet_id, start)


def ids(batches: list[list[pgwallet.FeedRow]], start: int) -> list[list[int]]:
    return [[row.posting_id - start for row in batch] for batch in batches]


@pytest.mark.parametrize("limit", [2, 5, 1000])
def test_it_yields_batches_to_the_end(ledger: Ledger, limit: int) -> None:
    conn, _, start = ledger
    batches = ids(list(pgwallet.feed(conn, start, limit=limit)), start)
    assert [each for batch in batches for each in batch] == [1, 2, 3, 4, 5]
    assert max(map(len, batches)) == min(limit, 5)
    assert list(pgwallet.feed(conn, start + 5)) == []


def test_it_does_so_on_an_async_connection(ledger: Ledger, database: str) -> None:
    start = ledger.start

    async def read() -> list[list[pgwallet.FeedRow]]:
        async with await psycopg.AsyncConnection.connect(database) as conn:
            return [batch async for batch in pgwallet.feed(conn, start, limit=2)]

    assert ids(asyncio.run(read()), start) == [[1, 2], [3, 4], [5]]


def test_the_connection_is_the_caller_s_between_two_batches(
    connect: Connect, ledger: Ledger
) -> None:
    start = ledger.start
    conn = connect()
    for batch in pgwallet.feed(conn, start, limit=2):
        assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        pgwallet.create_wallet(conn, fresh(f"seen {batch[-1].posting_id}"))
        conn.commit()


def test_who_left_a_transaction_open_is_told(connect: Connect, ledger: Ledger) -> None:
    start = ledger.start
    conn = connect()
    conn.execute("select 1")
    with pytest.raises(psycopg.ProgrammingError, match="in a transaction"):
        next(iter(pgwallet.feed(conn, start)))


def test_what_was_not_kept_comes_again(ledger: Ledger) -> None:
    conn, _, start = ledger
    first = next(iter(pgwallet.feed(conn, start, limit=2)))
    assert next(iter(pgwallet.feed(conn, start, limit=2))) == first


def test_it_goes_on_with_what_comes(connect: Connect, ledger: Ledger) -> None:
    conn, wallet_id, start = ledger
    following = iter(pgwallet.feed(connect(), start + 4, follow=True))
    assert ids([next(following)], start) == [[5]]
    later = threading.Timer(0.2, pgwallet.deposit, [conn, wallet_id, 1])
    later.start()
    assert ids([next(following)], start) == [[6]]
    later.join()


def test_it_goes_on_with_what_comes_on_an_async_connection(ledger: Ledger, database: str) -> None:
    conn, wallet_id, start = ledger

    async def read() -> list[list[pgwallet.FeedRow]]:
        batches = []
        async with await psycopg.AsyncConnection.connect(database) as aconn:
            async for batch in pgwallet.feed(aconn, start + 4, follow=True):
                batches.append(batch)
                if len(batches) == 2:
                    break
                await asyncio.to_thread(pgwallet.deposit, conn, wallet_id, 1)
        return batches

    assert ids(asyncio.run(read()), start) == [[5], [6]]


def test_it_leaves_the_database_alone_while_nothing_comes(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn, _, start = ledger
    pauses: list[float] = []

    class Enough(Exception):
        pass

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            raise Enough

    monkeypatch.setattr("pgwallet.following.time.sleep", sleep)
    with pytest.raises(Enough):
        for _ in pgwallet.feed(conn, start + 5, follow=True):
            pass
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1, 1, 1]


def test_it_takes_no_other_connection() -> None:
    wrong: Any = "postgresql:///ledger"
    with pytest.raises(TypeError, match="first argument"):
        pgwallet.feed(wrong)
