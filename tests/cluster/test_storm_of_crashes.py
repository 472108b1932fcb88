"""Eight customers, two operators and a reaper at once, while servers and sessions are killed:
whatever anybody was told is there in the end, once.
"""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from decimal import Decimal
from itertools import count

import psycopg
import pytest

import pgwallet
from pgwallet import cluster
from tests.cluster.killing import Client, Killable
from tests.cluster.storming import (
    COMMISSION,
    Book,
    Customer,
    Operator,
    Pledged,
    Reaper,
    settled,
)
from tests.effort import effort
from tests.faults.server import KillableServer

SECONDS = effort("PGWALLET_CLUSTER_STORM", part=4, full=60)
CUSTOMERS, OPERATORS, WALLETS = 8, 2, 16

_codes = count(1)


@pytest.fixture
def book(killable: Killable) -> Book:
    with psycopg.connect(killable.router, autocommit=True) as conn:
        code = f"STORM{next(_codes)}"
        pgwallet.create_currency(conn, code, 2, "Storm")
        wallets = [
            pgwallet.create_wallet(conn, f"{code} {number}", code).wallet_id
            for number in range(WALLETS)
        ]
        keys = [f"{code} first {wallet}" for wallet in wallets]
        pgwallet.deposit_many(conn, wallets, [500] * WALLETS, keys)
    made = Book(killable.router, code, wallets)
    made.in_wallets.update(dict.fromkeys(wallets, 500))
    return made


def crash(killable: Killable, book: Book, seed: str) -> int:
    """Returns how often something was killed."""
    chance = random.Random(seed)
    number = 0
    while not book.over.wait(chance.uniform(0.1, 1.5)):
        number += 1
        server = chance.choice([*killable.shards, *killable.shards, killable.routers])
        if chance.random() < 0.5:
            end_sessions(server)
        else:
            server.kill()
            time.sleep(chance.uniform(0, 0.3))
            server.start()
    return number


def end_sessions(server: KillableServer) -> None:
    """Of everybody there: customers of a router, or routers of shards; some of them."""
    with suppress(psycopg.OperationalError), psycopg.connect(server.conninfo) as admin:
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where backend_type = 'client backend' and pid <> pg_backend_pid() and random() < 0.5"
        )


@pytest.mark.timeout(300 + 5 * SECONDS)
def test_what_anybody_was_told_is_there_once_whatever_crashed(
    killable: Killable, book: Book
) -> None:
    seed = f"{random.getrandbits(32)}"
    people = [
        *(Customer(book, f"{seed} customer {n}") for n in range(CUSTOMERS)),
        *(Operator(book, f"{seed} operator {n}") for n in range(OPERATORS)),
        Reaper(book, f"{seed} reaper"),
    ]
    with ThreadPoolExecutor(len(people) + 1) as threads:
        working = [threads.submit(person.work) for person in people]
        crashes = threads.submit(crash, killable, book, seed)
        book.over.wait(SECONDS)
        book.over.set()
        for each in working:
            each.result()
    print(f"{SECONDS} s, seed {seed}: {crashes.result()} crashes, {book.calls}, {book.repeats=}")
    assert not book.failures, f"seed {seed}: {book.failures}"
    with closing(Client(killable.router)) as client:
        client(lambda conn: complete(conn, book))
        client(lambda conn: compare(conn, book))
    assert cluster.check(killable.file) == []


def complete(conn: psycopg.Connection, book: Book) -> None:
    """All that was broken off, by the same calls again."""
    rows = conn.execute("select failure from pgwallet.complete_plans('0')").fetchall()
    assert [failure for (failure,) in rows if failure] == []
    while pgwallet.refund_expired_escrows(conn).escrow_count:
        pass
    for project, outcome in book.outcomes.items():
        pgwallet.close_project(conn, project, outcome)
        settled(conn, project, outcome)


def compare(conn: psycopg.Connection, book: Book) -> None:
    wallets = {wallet: Decimal(amount) for wallet, amount in book.in_wallets.items()}
    projects = {project: Decimal(-paid) for project, paid in book.paid_out.items()}
    earned = -book.collected
    for escrow_id, pledged in book.pledges.items():
        escrow = pgwallet.get_escrow(conn, escrow_id)
        wallet, project = escrow.wallet_id, escrow.project_id
        assert Pledged(wallet, project, escrow.amount) == pledged
        outcome = book.outcomes.get(project, "open")
        if escrow.expires_at is None:
            status = {"succeeded": "released", "failed": "refunded", "open": "locked"}[outcome]
            assert escrow.status == status, escrow
        else:
            assert escrow.locked_amount == 0 or outcome == "open", escrow
        assert escrow.net_amount == escrow.released_amount * (1 - COMMISSION)
        wallets[wallet] += escrow.refunded_amount - escrow.amount
        projects[project] = projects.get(project, Decimal(0)) + escrow.net_amount
        earned += escrow.commission_amount
    assert {wallet: pgwallet.balance(conn, wallet) for wallet in wallets} == wallets
    assert {project: pgwallet.balance(conn, project) for project in projects} == projects
    counts = Counter(pledged.project for pledged in book.pledges.values())
    for project in book.outcomes:
        assert pgwallet.get_project(conn, project).escrow_count == counts[project]
    currency = pgwallet.create_currency(conn, book.currency, 2, "Storm")
    assert pgwallet.balance(conn, currency.commission_account_id) == earned
