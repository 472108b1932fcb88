"""Two or more calls at once that move the money of one wallet and its pocket."""

from decimal import Decimal
from functools import partial

import psycopg
import pytest
from psycopg import IsolationLevel

import pgwallet
from tests.catalogue.calls import CALLS
from tests.concurrency.calls import (
    OF_WALLETS,
    assert_balances,
    assert_books,
    fresh,
    fresh_world,
    move,
)
from tests.concurrency.sessions import ALL_LEVELS, all_blocked, at, blocked
from tests.conftest import Connect
from tests.ledger.calling import funded

pytestmark = pytest.mark.sql

TAKING = [name for name in OF_WALLETS if CALLS[name].effect("wallet") < 0]


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


@pytest.mark.parametrize("first_name", OF_WALLETS)
def test_a_call_goes_on_from_where_the_one_it_waited_for_left_the_balances(
    connect: Connect, first_name: str
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world = fresh_world(observer)
    wallet_balance, pocket_balance = Decimal(100), Decimal(20)
    for second_name in OF_WALLETS:
        move(first, first_name, world, 1)
        with blocked(second, observer, partial(move, second, second_name, world, 2)) as waiting:
            # The posting of the call that waits has to come after this one as well.
            move(first, first_name, world, 1)
            first.commit()
            waiting.result()
        second.commit()
        for each in (first_name, second_name):
            wallet_balance += 2 * CALLS[each].effect("wallet")
            pocket_balance += 2 * CALLS[each].effect("pocket")
        assert_balances(observer, {world.wallet: wallet_balance, world.pocket: pocket_balance})
    assert pgwallet.check_ledger(observer) == []


@pytest.mark.parametrize("level", ALL_LEVELS)
@pytest.mark.parametrize("first_name", TAKING)
def test_of_two_calls_that_take_the_same_money_the_second_gets_none(
    connect: Connect, first_name: str, level: IsolationLevel
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world = fresh_world(observer)
    pocket_balance = Decimal(20)
    for second_name in TAKING:
        at(second, level)
        move(first, first_name, world, 60)
        with blocked(second, observer, partial(move, second, second_name, world, 60)) as waiting:
            first.commit()
            with pytest.raises(psycopg.Error) as caught:
                waiting.result()
        refused = level == IsolationLevel.READ_COMMITTED
        assert caught.value.sqlstate == ("PW201" if refused else "40001")
        second.rollback()
        pocket_balance += 60 * CALLS[first_name].effect("pocket")
        assert_balances(observer, {world.wallet: 40, world.pocket: pocket_balance})
        pgwallet.deposit(observer, world.wallet, 60)
    assert pgwallet.check_ledger(observer) == []


@pytest.mark.parametrize("level", ALL_LEVELS)
def test_a_pocket_is_emptied_once(connect: Connect, level: IsolationLevel) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world = fresh_world(observer)
    at(second, level)
    move(first, "transfer_from_pocket", world, 20)
    with blocked(
        second, observer, partial(move, second, "transfer_from_pocket", world, 20)
    ) as waiting:
        first.commit()
        with pytest.raises(psycopg.Error) as caught:
            waiting.result()
    refused = level == IsolationLevel.READ_COMMITTED
    assert caught.value.sqlstate == ("PW201" if refused else "40001")
    second.rollback()
    assert_books(observer, {world.wallet: 120, world.pocket: 0})


def test_an_allocation_spends_the_deposit_it_waited_for(connect: Connect) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    ada, bob = (funded(observer, fresh("owner"), 0) for _ in range(2))
    pockets = [pgwallet.create_pocket(observer, each, "all", 100).pocket_id for each in (ada, bob)]
    pgwallet.deposit(first, bob, 10)
    pgwallet.deposit(first, ada, 10)
    with blocked(
        second, observer, lambda: pgwallet.allocate_deposits(second, [bob, ada], [10, 10])
    ) as allocating:
        first.commit()
        assert [row.balance for row in allocating.result()] == [10, 10]
    second.commit()
    assert_books(observer, {ada: 0, bob: 0, pockets[0]: 10, pockets[1]: 10})


def test_an_allocation_uses_the_percentages_it_waited_for(connect: Connect) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world = fresh_world(observer)
    pgwallet.set_allocation(first, world.pocket, 25)
    other = pgwallet.create_pocket(first, world.wallet, "rainy days", 75).pocket_id
    with blocked(
        second, observer, lambda: pgwallet.allocate_deposit(second, world.wallet, 100)
    ) as allocating:
        first.commit()
        shares = allocating.result().shares
    second.commit()
    assert {share.pocket_id: share.amount for share in shares} == {other: 75, world.pocket: 25}
    assert_books(observer, {world.wallet: 0, world.pocket: 45, other: 75})


def test_a_change_of_a_percentage_waits_for_an_allocation_and_for_another_change(
    connect: Connect,
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world = fresh_world(observer)
    pgwallet.allocate_deposit(first, world.wallet, 100)
    with blocked(
        second, observer, lambda: pgwallet.set_allocation(second, world.pocket, 80)
    ) as changing:
        first.commit()
        changing.result()
    with blocked(
        first, observer, lambda: pgwallet.set_allocation(first, world.pocket, 10)
    ) as changing:
        second.commit()
        assert changing.result().allocation_percentage == 10
    first.commit()
    # What the pocket gave up is free for another one.
    other = pgwallet.create_pocket(observer, world.wallet, "rainy days", 90).pocket_id
    pgwallet.allocate_deposit(observer, world.wallet, 10)
    assert_books(observer, {world.wallet: 40, world.pocket: 71, other: 9})


def test_deposits_of_sixteen_connections_into_one_wallet_all_count(connect: Connect) -> None:
    holder, observer = connect(), connect(autocommit=True)
    wallet_id = funded(observer, fresh("owner"), 0)
    connections = [connect(autocommit=True) for _ in range(16)]

    def deposits(conn: psycopg.Connection, number: int) -> list[int]:
        return [
            pgwallet.deposit(conn, wallet_id, Decimal(number * 25 + n) / 100).transaction_id
            for n in range(1, 26)
        ]

    pgwallet.deposit(holder, wallet_id, 1000)
    with all_blocked(
        observer,
        [(conn, partial(deposits, conn, number)) for number, conn in enumerate(connections)],
    ) as depositing:
        holder.commit()
        told = [each.result() for each in depositing]

    rows = pgwallet.statement(observer, wallet_id, limit=1000)
    assert [row.amount for row in rows[:1]] == [1000]
    assert sorted(row.amount for row in rows[1:]) == [Decimal(n) / 100 for n in range(1, 401)]
    for transactions in told:
        # To each client its own deposits come in the order in which it made them.
        own = [row.transaction_id for row in rows if row.transaction_id in set(transactions)]
        assert own == transactions
    assert_books(observer, {wallet_id: 1000 + Decimal(802)})
