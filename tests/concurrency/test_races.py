"""Two or more sessions at the same thing, at the same time."""

from decimal import Decimal

import psycopg
import pytest
from psycopg import IsolationLevel

import pgwallet
from tests.concurrency.sessions import ALL_LEVELS, HIGHER, at, at_once, blocked
from tests.conftest import Connect
from tests.ledger.calling import funded, project, value

pytestmark = pytest.mark.sql


@pytest.mark.parametrize("level", HIGHER)
def test_the_loser_of_a_race_for_a_key_replays_when_run_again(
    connect: Connect, level: IsolationLevel
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id = funded(observer, "ada", 0)
    at(second, level)
    done = pgwallet.deposit(first, wallet_id, 5, "once")
    with blocked(
        second, observer, lambda: pgwallet.deposit(second, wallet_id, 5, "once")
    ) as waiting:
        first.commit()
        with pytest.raises(psycopg.errors.SerializationFailure):
            waiting.result()
    second.rollback()
    again = pgwallet.run_transaction(
        second, lambda conn: pgwallet.deposit(conn, wallet_id, 5, "once")
    )
    assert (again.replayed, again.transaction_id) == (True, done.transaction_id)
    assert pgwallet.balance(observer, wallet_id) == 5


def test_two_bulk_calls_with_one_key_have_one_effect(connect: Connect) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id = funded(observer, "ada", 0)
    pgwallet.deposit_many(first, [wallet_id] * 2, [1, 2], ["a", "b"])
    with blocked(
        second,
        observer,
        lambda: pgwallet.deposit_many(second, [wallet_id] * 2, [2, 4], ["b", "c"]),
    ) as waiting:
        first.commit()
        assert [row.replayed for row in waiting.result()] == [True, False]
    second.commit()
    assert pgwallet.balance(observer, wallet_id) == 7
    assert pgwallet.check_ledger(observer) == []


def test_an_allocation_and_a_withdrawal_never_share_the_same_money(connect: Connect) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id = funded(observer, "ada", 100)
    pgwallet.create_pocket(observer, wallet_id, "all", 100)
    pgwallet.withdraw(first, wallet_id, 30)
    with blocked(
        second, observer, lambda: pgwallet.allocate_deposit(second, wallet_id, 100)
    ) as allocating:
        first.commit()
        with pytest.raises(pgwallet.InsufficientFunds):
            allocating.result()
    second.rollback()

    pgwallet.allocate_deposit(first, wallet_id, 50)
    with blocked(second, observer, lambda: pgwallet.withdraw(second, wallet_id, 30)) as taking:
        first.commit()
        with pytest.raises(pgwallet.InsufficientFunds):
            taking.result()
    second.rollback()
    assert pgwallet.balance(observer, wallet_id) == 20
    assert pgwallet.check_ledger(observer) == []


@pytest.mark.parametrize("level", ALL_LEVELS)
def test_two_sessions_cannot_take_the_percentages_past_100(
    connect: Connect, level: IsolationLevel
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id = funded(observer, "ada", 0)
    at(second, level)
    pgwallet.create_pocket(first, wallet_id, "one", 60)
    expected = (
        pgwallet.AllocationExceeds100
        if level == IsolationLevel.READ_COMMITTED
        else psycopg.errors.SerializationFailure
    )
    with blocked(
        second, observer, lambda: pgwallet.create_pocket(second, wallet_id, "two", 60)
    ) as creating:
        first.commit()
        with pytest.raises(expected):
            creating.result()
    second.rollback()
    assert value(observer, "select sum(allocation_percentage) from pgwallet.pocket") == 60


@pytest.mark.parametrize("level", ALL_LEVELS)
def test_two_changes_of_percentages_cannot_pass_100(
    connect: Connect, level: IsolationLevel
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id = funded(observer, "ada", 0)
    one, two = (
        pgwallet.create_pocket(observer, wallet_id, name, 40).pocket_id for name in ("one", "two")
    )
    at(second, level)
    pgwallet.set_allocation(first, one, 60)
    with blocked(second, observer, lambda: pgwallet.set_allocation(second, two, 60)) as changing:
        first.commit()
        expected = (
            pgwallet.AllocationExceeds100
            if level == IsolationLevel.READ_COMMITTED
            else psycopg.errors.SerializationFailure
        )
        with pytest.raises(expected):
            changing.result()
    second.rollback()
    pgwallet.set_allocation(observer, one, 10)
    assert pgwallet.set_allocation(observer, two, 90).allocation_percentage == 90


@pytest.mark.parametrize("what", ["wallet", "project"])
def test_two_sessions_that_create_the_same_get_the_same(connect: Connect, what: str) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)

    def create(conn: psycopg.Connection) -> int:
        if what == "wallet":
            return pgwallet.create_wallet(conn, "ada").wallet_id
        return pgwallet.create_project(conn, "bridge").project_id

    made = create(first)
    with blocked(second, observer, lambda: create(second)) as creating:
        first.commit()
        assert creating.result() == made


def test_deposits_into_one_wallet_keep_their_order(connect: Connect) -> None:
    setup = connect(autocommit=True)
    wallet_id = funded(setup, "ada", 0)

    def work(conn: psycopg.Connection) -> None:
        for _ in range(25):
            pgwallet.deposit(conn, wallet_id, Decimal("0.01"))

    sessions = [connect(autocommit=True) for _ in range(4)]
    at_once([lambda conn=conn: work(conn) for conn in sessions])  # type: ignore[misc]
    rows = pgwallet.statement(setup, wallet_id)
    assert [row.balance for row in rows] == [Decimal(n) / 100 for n in range(1, 101)]
    assert [row.created_at for row in rows] == sorted(row.created_at for row in rows)


def test_pledges_to_one_project_do_not_wait_for_each_other(connect: Connect) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    ada, bob = funded(observer, "ada", 10), funded(observer, "bob", 10)
    project_id = project(observer)
    pgwallet.pledge(first, ada, project_id, 10)
    second.execute("set lock_timeout = '5s'")
    pgwallet.pledge(second, bob, project_id, 10)
    second.commit()
    first.commit()
    assert pgwallet.check_ledger(observer) == []


def test_deposits_and_withdrawals_of_others_do_not_wait(connect: Connect) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    ada, bob = funded(observer, "ada", 10), funded(observer, "bob", 10)
    second.execute("set lock_timeout = '5s'")
    pgwallet.deposit(first, ada, 1)
    pgwallet.withdraw(first, ada, 1)
    pgwallet.deposit(second, bob, 1)
    pgwallet.withdraw(second, bob, 1)
    second.commit()


def test_a_posting_that_comes_later_than_its_transaction_id_is_no_violation(
    connect: Connect,
) -> None:
    holder, late, observer = connect(), connect(), connect(autocommit=True)
    first, second, third = (funded(observer, name, 1) for name in ("ada", "bob", "eve"))
    pgwallet.deposit(holder, first, 1)
    with blocked(
        late, observer, lambda: pgwallet.deposit_many(late, [first, second], [1, 2])
    ) as waiting:
        since = pgwallet.deposit(observer, third, 5).transaction_id
        pgwallet.deposit(observer, second, 7)
        holder.commit()
        waiting.result()
    late.commit()
    assert pgwallet.check_ledger(observer, since) == []
    assert pgwallet.check_ledger(observer) == []
