"""What the replaced code did wrong when a call came again: d08 and d11 of README.md."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.concurrency.sessions import blocked
from tests.conftest import Connect
from tests.ledger.calling import funded, project, value

pytestmark = pytest.mark.sql


def test_d08_a_deadlock_is_repeated_in_a_new_transaction_and_succeeds(connect: Connect) -> None:
    setup = connect(autocommit=True)
    ada, bob = funded(setup, "ada", 0), funded(setup, "bob", 0)
    both_hold_one = Barrier(2)
    begun: list[int] = []

    def deposits(conn: psycopg.Connection, first: int, second: int) -> Callable[[], None]:
        tries: list[int] = []

        def both(conn: psycopg.Connection) -> None:
            tries.append(first)
            begun.append(first)
            pgwallet.deposit(conn, first, 1)
            if len(tries) == 1:
                both_hold_one.wait(20)
            pgwallet.deposit(conn, second, 1)

        return lambda: pgwallet.run_transaction(conn, both)

    with ThreadPoolExecutor(2) as threads:
        runs = [
            threads.submit(deposits(connect(), ada, bob)),
            threads.submit(deposits(connect(), bob, ada)),
        ]
        for run in runs:
            run.result()
    assert len(begun) > 2, "nobody met a deadlock"
    assert pgwallet.balance(setup, ada) == pgwallet.balance(setup, bob) == 2
    assert pgwallet.check_ledger(setup) == []


def test_d11_the_second_call_with_a_key_returns_the_first_result(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 100)
    first = pgwallet.pledge(conn, wallet_id, project(conn), 10, idempotency_key="once")
    again = pgwallet.pledge(conn, wallet_id, project(conn), 10, idempotency_key="once")
    assert (first.replayed, again.replayed) == (False, True)
    assert (again.transaction_id, again.escrow_id) == (first.transaction_id, first.escrow_id)
    assert pgwallet.balance(conn, wallet_id) == again.balance == 90


@pytest.mark.parametrize("name", ["deposit", "withdraw", "pledge", "release", "refund", "payout"])
def test_d11_two_calls_at_once_with_one_key_have_one_effect(connect: Connect, name: str) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id = funded(observer, "ada", 100)
    project_id = project(observer)
    escrow_id = pgwallet.pledge(observer, wallet_id, project_id, 20).escrow_id
    if name == "payout":
        pgwallet.release_escrow(observer, escrow_id)
    calls: dict[str, Callable[[psycopg.Connection], Any]] = {
        "deposit": lambda conn: pgwallet.deposit(conn, wallet_id, 5, "once"),
        "withdraw": lambda conn: pgwallet.withdraw(conn, wallet_id, 5, "once"),
        "pledge": lambda conn: pgwallet.pledge(
            conn, wallet_id, project_id, 5, idempotency_key="once"
        ),
        "release": lambda conn: pgwallet.release_escrow(conn, escrow_id, 5, "once"),
        "refund": lambda conn: pgwallet.refund_escrow(conn, escrow_id, 5, "once"),
        "payout": lambda conn: pgwallet.payout(conn, project_id, 5, "once"),
    }
    call = calls[name]

    done = call(first)
    with blocked(second, observer, lambda: call(second)) as waiting:
        first.commit()
        again = waiting.result()
    second.commit()
    assert (done.replayed, again.replayed) == (False, True)
    assert again.transaction_id == done.transaction_id
    keyed = "select count(*) from pgwallet.transaction where idempotency_key = 'once'"
    assert value(observer, keyed) == 1
    assert pgwallet.check_ledger(observer) == []


def test_d11_a_key_is_free_again_when_the_first_call_rolls_back(connect: Connect) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id = funded(observer, "ada", 100)
    pgwallet.deposit(first, wallet_id, 5, "once")
    with blocked(second, observer, lambda: pgwallet.deposit(second, wallet_id, 7, "once")) as other:
        first.rollback()
        assert other.result().replayed is False
    second.commit()
    assert pgwallet.balance(observer, wallet_id) == 107
