"""Sessions that make the same wallet, pocket or project at the same time."""

from collections.abc import Callable
from decimal import Decimal

import psycopg
import pytest
from psycopg import IsolationLevel

import pgwallet
from tests.concurrency.calls import assert_books, fresh
from tests.concurrency.sessions import ALL_LEVELS, HIGHER, all_blocked, at, blocked
from tests.conftest import Connect
from tests.ledger.calling import funded, project

pytestmark = pytest.mark.sql

CREATE: dict[str, Callable[[psycopg.Connection, str], int]] = {
    "wallet": lambda conn, name: pgwallet.create_wallet(conn, name).wallet_id,
    "project": lambda conn, name: pgwallet.create_project(conn, name).project_id,
}
# What makes them the same.
BY = {"wallet": "owner_id", "project": "reference", "pocket": "wallet_id"}


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


def made(conn: psycopg.Connection, what: str, by: str | int) -> list[int]:
    """The ids of all such wallets, projects or pockets; each has an account."""
    rows = conn.execute(
        f"""
        select t.{what}_id
        from pgwallet.{what} as t
        join pgwallet.account as a on a.account_id = t.{what}_id and a.kind = '{what}'
        where t.{BY[what]} = %s
        """.encode(),
        [by],
    ).fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize("what", CREATE)
def test_all_who_make_the_same_get_the_same(connect: Connect, what: str) -> None:
    first, observer = connect(), connect(autocommit=True)
    others = [connect(autocommit=True) for _ in range(3)]
    name = fresh(what)
    made_first = CREATE[what](first, name)
    with all_blocked(
        observer,
        [(conn, lambda conn=conn: CREATE[what](conn, name)) for conn in others],  # type: ignore[misc]
    ) as waiting:
        first.commit()
        assert [future.result() for future in waiting] == [made_first] * 3
    assert made(observer, what, name) == [made_first]
    assert_books(observer, {made_first: 0})


@pytest.mark.parametrize("level", ALL_LEVELS)
@pytest.mark.parametrize("what", CREATE)
def test_the_second_makes_what_the_first_rolled_back(
    connect: Connect, what: str, level: IsolationLevel
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    name = fresh(what)
    at(second, level)
    CREATE[what](first, name)
    with blocked(second, observer, lambda: CREATE[what](second, name)) as waiting:
        first.rollback()
        made_second = waiting.result()
    second.commit()
    assert made(observer, what, name) == [made_second]
    assert_books(observer, {made_second: 0})


@pytest.mark.parametrize("level", HIGHER)
@pytest.mark.parametrize("what", CREATE)
def test_under_a_higher_level_the_second_fails_and_gets_the_first_when_run_again(
    connect: Connect, what: str, level: IsolationLevel
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    name = fresh(what)
    at(second, level)
    made_first = CREATE[what](first, name)
    with blocked(second, observer, lambda: CREATE[what](second, name)) as waiting:
        first.commit()
        with pytest.raises(psycopg.errors.SerializationFailure):
            waiting.result()
    second.rollback()
    assert CREATE[what](second, name) == made_first
    second.commit()
    assert made(observer, what, name) == [made_first]


def test_a_project_with_other_arguments_is_refused_to_the_second(connect: Connect) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    name = fresh("project")
    project_id = project(first, name, max_pledge=10)
    with blocked(second, observer, lambda: project(second, name, max_pledge=20)) as waiting:
        first.commit()
        with pytest.raises(pgwallet.InvalidArgument, match="exists with other arguments"):
            waiting.result()
    second.rollback()
    assert made(observer, "project", name) == [project_id]


@pytest.mark.parametrize("level", ALL_LEVELS)
@pytest.mark.parametrize("percentage", [40, 0])
def test_two_who_make_one_pocket_get_the_same(
    connect: Connect, level: IsolationLevel, percentage: int
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id = funded(observer, fresh("ada"), 10)
    at(second, level)
    made_first = pgwallet.create_pocket(first, wallet_id, "holiday", percentage)
    with blocked(
        second, observer, lambda: pgwallet.create_pocket(second, wallet_id, "holiday", percentage)
    ) as waiting:
        first.commit()
        if level == IsolationLevel.READ_COMMITTED:
            assert waiting.result() == made_first
        else:
            with pytest.raises(psycopg.errors.SerializationFailure):
                waiting.result()
    second.rollback()
    assert pgwallet.create_pocket(second, wallet_id, "holiday", percentage) == made_first
    second.rollback()
    assert made(observer, "pocket", wallet_id) == [made_first.pocket_id]
    other_id = pgwallet.create_pocket(observer, wallet_id, "rest", 100 - percentage).pocket_id
    pgwallet.allocate_deposit(observer, wallet_id, 10)
    share = Decimal(percentage) / 10
    assert_books(observer, {wallet_id: 0, made_first.pocket_id: share, other_id: 10 - share})


@pytest.mark.parametrize("level", ALL_LEVELS)
def test_a_name_of_a_pocket_is_given_once(connect: Connect, level: IsolationLevel) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id = funded(observer, fresh("ada"), 10)
    at(second, level)
    pocket_id = pgwallet.create_pocket(first, wallet_id, "holiday", 40).pocket_id
    with blocked(
        second, observer, lambda: pgwallet.create_pocket(second, wallet_id, "holiday", 41)
    ) as waiting:
        first.commit()
        expected = (
            pgwallet.InvalidArgument
            if level == IsolationLevel.READ_COMMITTED
            else psycopg.errors.SerializationFailure
        )
        with pytest.raises(expected):
            waiting.result()
    second.rollback()
    # The percentage of the one that was refused counts for nothing.
    other_id = pgwallet.create_pocket(observer, wallet_id, "rainy days", 60).pocket_id
    pgwallet.allocate_deposit(observer, wallet_id, 10)
    assert_books(observer, {wallet_id: 0, pocket_id: 4, other_id: 6})


def test_a_name_of_a_pocket_is_free_again_when_the_first_is_rolled_back(connect: Connect) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id = funded(observer, fresh("ada"), 10)
    pgwallet.create_pocket(first, wallet_id, "holiday", 100)
    with blocked(
        second, observer, lambda: pgwallet.create_pocket(second, wallet_id, "holiday", 100)
    ) as waiting:
        first.rollback()
        pocket_id = waiting.result().pocket_id
    second.commit()
    pgwallet.allocate_deposit(observer, wallet_id, 10)
    assert_books(observer, {wallet_id: 0, pocket_id: 10})
