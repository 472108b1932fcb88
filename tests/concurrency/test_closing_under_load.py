"""A project that is closed while many clients pledge to it without pause."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

import psycopg
import pytest

import pgwallet
from tests.concurrency.calls import assert_books
from tests.concurrency.sessions import blocked
from tests.conftest import Connect
from tests.ledger.calling import funded, project
from tests.waiting import wait_until_blocked

pytestmark = pytest.mark.sql

CLIENTS = 32
# A closing takes some milliseconds, and less than a second even while the clients keep two cores
# busy. The rest is for a machine that has much else to do: a closing that starves takes it all.
SECONDS = 10.0


@dataclass(slots=True)
class Client:
    """Pledges from a wallet, one unit after the other, until it is told that this is over."""

    conn: psycopg.Connection
    wallet_id: int
    began: Event = field(default_factory=Event)
    pledged: int = 0

    def pledge_until_closed(self, project_id: int) -> None:
        deadline = time.monotonic() + 6 * SECONDS
        while time.monotonic() < deadline:
            try:
                pgwallet.pledge(self.conn, self.wallet_id, project_id, 1)
            except pgwallet.ProjectClosed:
                return
            self.pledged += 1
            self.began.set()
        raise AssertionError("the project was never closed")


@contextmanager
def pledging(connect: Connect, project_id: int) -> Iterator[list[Client]]:
    """Yields while all clients pledge; ends when each was refused, as the project is closed."""
    with ThreadPoolExecutor(CLIENTS) as threads:
        clients = []
        for number in range(CLIENTS):
            conn = connect(autocommit=True)
            clients.append(Client(conn, funded(conn, f"client {number}", 1000000)))
        done = [threads.submit(each.pledge_until_closed, project_id) for each in clients]
        for client in clients:
            assert client.began.wait(6 * SECONDS)
        yield clients
        for future in done:
            future.result()


def assert_nothing_lost(conn: psycopg.Connection, project_id: int, clients: list[Client]) -> None:
    """All that was pledged, and nothing else, is released."""
    pledged = sum(client.pledged for client in clients)
    assert pgwallet.release_escrows(conn, project_id, 10000000).gross_amount == pledged
    assert pledged == pgwallet.balance(conn, project_id)
    assert_books(conn, {client.wallet_id: 1000000 - client.pledged for client in clients})


def test_a_closing_does_not_starve_behind_a_stream_of_pledges(connect: Connect) -> None:
    closing = connect(autocommit=True)
    project_id = project(closing, commission_rate=0, fee_rate=0)
    with pledging(connect, project_id) as clients:
        begin = time.monotonic()
        pgwallet.close_project(closing, project_id, "succeeded")
        assert time.monotonic() - begin < SECONDS
    assert_nothing_lost(closing, project_id, clients)


def test_no_pledge_overtakes_a_closing_that_waits(connect: Connect) -> None:
    early, closing, observer = connect(), connect(autocommit=True), connect(autocommit=True)
    wallet_id = funded(observer, "ada", 1)
    project_id = project(observer, commission_rate=0, fee_rate=0)
    with pledging(connect, project_id) as clients:
        escrow_id = pgwallet.pledge(early, wallet_id, project_id, 1).escrow_id
        with blocked(
            closing, observer, lambda: pgwallet.close_project(closing, project_id, "succeeded")
        ) as closed:
            # Each finishes at most the pledge that it was at, and waits with the next one.
            for client in clients:
                wait_until_blocked(observer, client.conn.info.backend_pid)
            pledged = [client.pledged for client in clients]
            early.commit()
            assert closed.result().status == "succeeded"
    assert [client.pledged for client in clients] == pledged
    # A charge-back, so that only what the clients pledged is left to release.
    assert pgwallet.refund_escrow(observer, escrow_id).balance == 1
    assert_nothing_lost(observer, project_id, clients)
