"""Transfers at once, in opposite directions: each has its turn, and nobody waits in a circle."""

import random
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel

import pgwallet
from tests.concurrency.calls import OF_WALLETS, assert_books, fresh, fresh_world, move
from tests.concurrency.sessions import ALL_LEVELS, at, at_once, blocked
from tests.conftest import Connect
from tests.ledger.calling import funded, project

pytestmark = pytest.mark.sql

WALLETS = 5
SESSIONS = 4
TURNS = 150


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


def test_opposite_transfers_wait_for_the_same_wallet_first(connect: Connect) -> None:
    """Both want the lower id first, so the second holds nothing that the first still needs."""
    first, second, third = connect(), connect(), connect()
    observer = connect(autocommit=True)
    low, high = sorted(funded(observer, fresh("owner"), 100) for _ in range(2))
    first.execute("select from pgwallet.account where account_id = %s for update", [low])
    with blocked(second, observer, partial(pgwallet.transfer, second, high, low, 1)) as down:
        # Had it taken the higher one first, this would wait.
        third.execute("set local lock_timeout = 1000")
        third.execute("select from pgwallet.account where account_id = %s for update", [high])
        third.rollback()
        first.rollback()
        down.result()
    second.commit()
    assert_books(observer, {low: 101, high: 99})


@pytest.mark.parametrize("name", OF_WALLETS)
def test_a_transfer_and_any_other_call_of_either_wallet_take_turns(
    connect: Connect, name: str
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world = fresh_world(observer)
    for ends in ((world.wallet, world.friend), (world.friend, world.wallet)):
        move(first, name, world, 1)
        with blocked(second, observer, partial(pgwallet.transfer, second, *ends, 2)) as waiting:
            first.commit()
            waiting.result()
        second.commit()
        pgwallet.transfer(first, *ends, 2)
        with blocked(second, observer, partial(move, second, name, world, 1)) as waiting_too:
            first.commit()
            waiting_too.result()
        second.commit()
    assert pgwallet.check_ledger(observer) == []


@pytest.mark.parametrize("level", ALL_LEVELS)
def test_of_two_transfers_that_take_the_same_money_the_second_gets_none(
    connect: Connect, level: IsolationLevel
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world = fresh_world(observer)
    rent = pgwallet.create_pocket(observer, world.wallet, "rent").pocket_id
    for source, target, there in (
        (world.wallet, world.friend, 100),
        (world.pocket, rent, 20),
    ):
        at(second, level)
        pgwallet.transfer(first, source, target, there)
        transfer = partial(pgwallet.transfer, second, source, target, there)
        with blocked(second, observer, transfer) as waiting:
            first.commit()
            refused = level == IsolationLevel.READ_COMMITTED
            with pytest.raises(
                pgwallet.InsufficientFunds if refused else psycopg.errors.SerializationFailure
            ):
                waiting.result()
        second.rollback()
    assert_books(observer, {world.wallet: 0, world.friend: 150, world.pocket: 0, rent: 20})


def a_day_between(
    wallets: list[int], pockets: list[int], project_id: int, number: int
) -> Callable[[psycopg.Connection], Any]:
    """Transfers in any direction, and what else takes two wallets or one of theirs."""
    chance = random.Random(number)

    def work(conn: psycopg.Connection) -> None:
        for _ in range(TURNS):
            source, target = chance.sample(wallets, 2)
            amount = Decimal(chance.randint(1, 500)) / 100
            calls: list[Callable[[], Any]] = [
                partial(pgwallet.transfer, conn, source, target, amount),
                partial(pgwallet.transfer, conn, *chance.sample(pockets, 2), amount),
                partial(pgwallet.deposit_many, conn, [source, target], [1, 1]),
                partial(pgwallet.pledge_many, conn, project_id, [source, target], [1, 1]),
                partial(pgwallet.allocate_deposits, conn, [source, target], [1, 1]),
            ]
            (call,) = chance.choices(calls, [6, 3, 1, 1, 1])
            try:
                call()
            except pgwallet.InsufficientFunds:
                pass
            except psycopg.errors.DeadlockDetected as error:
                raise AssertionError(f"{call} met a deadlock") from error

    return work


def test_random_transfers_between_five_wallets_never_deadlock_and_lose_nothing(
    connect: Connect,
) -> None:
    """`python -m bench.transfers` makes 20,000 of them, by eight processes."""
    observer = connect(autocommit=True)
    wallets = [funded(observer, fresh("owner"), 50) for _ in range(WALLETS)]
    pockets = [pgwallet.create_pocket(observer, wallets[0], name, 10).pocket_id for name in "abcde"]
    pgwallet.allocate_deposit(observer, wallets[0], 40)
    project_id = project(observer, fresh("project"))
    at_once(
        [
            partial(a_day_between(wallets, pockets, project_id, number), connect(autocommit=True))
            for number in range(SESSIONS)
        ]
    )
    assert_books(observer, {each: pgwallet.balance(observer, each) for each in wallets + pockets})
