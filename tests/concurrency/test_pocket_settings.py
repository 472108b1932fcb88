"""Pockets that are changed while money is split over them, and by two at the same time."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel
from psycopg.errors import SerializationFailure

import pgwallet
from tests.concurrency.calls import assert_books, fresh
from tests.concurrency.sessions import ALL_LEVELS, HIGHER, at, blocked
from tests.conftest import Connect
from tests.ledger.calling import funded, value

pytestmark = pytest.mark.sql


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


Change = Callable[[psycopg.Connection, int], pgwallet.Pocket]

CHANGES: dict[str, Change] = {
    "rename_pocket": lambda conn, pocket: pgwallet.rename_pocket(conn, pocket, "other"),
    "set_allocation": lambda conn, pocket: pgwallet.set_allocation(conn, pocket, 10),
    "takes_rest": lambda conn, pocket: pgwallet.set_allocation(conn, pocket, 0, True),
    "set_target": lambda conn, pocket: pgwallet.set_target(conn, pocket, 30, True),
}
# What 40 more give the pocket with half of them, once that is changed.
GIVES = {"rename_pocket": 20, "set_allocation": 4, "takes_rest": 40, "set_target": 10}


def half(conn: psycopg.Connection) -> tuple[int, int]:
    """A wallet with 60, of which 20 came into its pocket, which gets half."""
    wallet_id = funded(conn, fresh("owner"), 80)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "half", 50).pocket_id
    pgwallet.allocate_deposit(conn, wallet_id, 40)
    return wallet_id, pocket_id


def allocate(conn: psycopg.Connection, wallet_id: int, bulk: bool) -> Any:
    if bulk:
        return pgwallet.allocate_deposits(conn, [wallet_id], [40])
    return pgwallet.allocate_deposit(conn, wallet_id, 40)


@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.parametrize("name", CHANGES)
def test_an_allocation_waits_for_a_change_and_follows_it(
    connect: Connect, name: str, bulk: bool
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, pocket_id = half(observer)
    CHANGES[name](first, pocket_id)
    with blocked(second, observer, lambda: allocate(second, wallet_id, bulk)) as waiting:
        first.commit()
        waiting.result()
    second.commit()
    gives = GIVES[name]
    assert_books(observer, {wallet_id: 60 - gives, pocket_id: 20 + gives})


@pytest.mark.parametrize("name", CHANGES)
def test_an_allocation_follows_no_change_that_was_rolled_back(connect: Connect, name: str) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, pocket_id = half(observer)
    CHANGES[name](first, pocket_id)
    with blocked(second, observer, lambda: allocate(second, wallet_id, False)) as waiting:
        first.rollback()
        waiting.result()
    second.commit()
    assert_books(observer, {wallet_id: 40, pocket_id: 40})


@pytest.mark.parametrize("level", HIGHER)
@pytest.mark.parametrize("name", ["takes_rest", "set_target"])
def test_under_a_higher_level_an_allocation_fails_where_rules_came_meanwhile(
    connect: Connect, name: str, level: IsolationLevel
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, pocket_id = half(observer)
    at(second, level)
    CHANGES[name](first, pocket_id)
    with blocked(second, observer, lambda: allocate(second, wallet_id, False)) as waiting:
        first.commit()
        with pytest.raises(SerializationFailure):
            waiting.result()
    second.rollback()
    allocate(second, wallet_id, False)
    second.commit()
    gives = GIVES[name]
    assert_books(observer, {wallet_id: 60 - gives, pocket_id: 20 + gives})


@pytest.mark.parametrize("level", ALL_LEVELS)
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_waits_for_an_allocation(
    connect: Connect, name: str, level: IsolationLevel
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, pocket_id = half(observer)
    at(second, level)
    allocate(first, wallet_id, False)
    with blocked(second, observer, lambda: CHANGES[name](second, pocket_id)) as waiting:
        first.commit()
        if level == IsolationLevel.READ_COMMITTED:
            assert waiting.result().balance == 40
        else:
            with pytest.raises(SerializationFailure):
                waiting.result()
    second.rollback()
    assert_books(observer, {wallet_id: 40, pocket_id: 40})


def rest_by_making(conn: psycopg.Connection, wallet: int, _: int) -> pgwallet.Pocket:
    return pgwallet.create_pocket(conn, wallet, f"new {conn.info.backend_pid}", takes_rest=True)


def rest_by_setting(conn: psycopg.Connection, _: int, pocket: int) -> pgwallet.Pocket:
    return pgwallet.set_allocation(conn, pocket, 0, True)


def name_by_making(conn: psycopg.Connection, wallet: int, _: int) -> pgwallet.Pocket:
    return pgwallet.create_pocket(conn, wallet, "wanted", target_amount=conn.info.backend_pid)


def name_by_renaming(conn: psycopg.Connection, _: int, pocket: int) -> pgwallet.Pocket:
    return pgwallet.rename_pocket(conn, pocket, "wanted")


PAIRS = {
    "two make the rest": (rest_by_making, rest_by_making),
    "two set the rest": (rest_by_setting, rest_by_setting),
    "one makes the rest and one sets it": (rest_by_making, rest_by_setting),
    "one sets the rest and one makes it": (rest_by_setting, rest_by_making),
    "two take a name": (name_by_renaming, name_by_renaming),
    "one makes a name and one takes it": (name_by_making, name_by_renaming),
    "one takes a name and one makes it": (name_by_renaming, name_by_making),
}


@pytest.mark.parametrize("level", ALL_LEVELS)
@pytest.mark.parametrize("pair", PAIRS)
def test_of_two_who_want_what_one_can_have_the_second_is_refused(
    connect: Connect, pair: str, level: IsolationLevel
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id = funded(observer, fresh("owner"), 10)
    one, two = (pgwallet.create_pocket(observer, wallet_id, name).pocket_id for name in "ab")
    this, that = PAIRS[pair]
    at(second, level)
    won = this(first, wallet_id, one)
    with blocked(second, observer, lambda: that(second, wallet_id, two)) as waiting:
        first.commit()
        higher = level != IsolationLevel.READ_COMMITTED
        with pytest.raises(SerializationFailure if higher else pgwallet.InvalidArgument):
            waiting.result()
    second.rollback()
    with pytest.raises(pgwallet.InvalidArgument):
        that(second, wallet_id, two)
    second.rollback()
    mine = "select array_agg(k.pocket_id) from pgwallet.pocket as k where k.wallet_id = %s and "
    wanted = "(k.takes_rest or k.name = 'wanted')"
    assert value(observer, mine + wanted, wallet_id) == [won.pocket_id]
    assert pgwallet.check_ledger(observer) == []


@pytest.mark.parametrize("level", ALL_LEVELS)
def test_two_targets_of_one_pocket_are_set_one_after_the_other(
    connect: Connect, level: IsolationLevel
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id = funded(observer, fresh("owner"), 10)
    pocket_id = pgwallet.create_pocket(observer, wallet_id, "one").pocket_id
    at(second, level)
    pgwallet.set_target(first, pocket_id, 30)
    with blocked(second, observer, lambda: pgwallet.set_target(second, pocket_id, 40)) as waiting:
        first.commit()
        if level == IsolationLevel.READ_COMMITTED:
            waiting.result()
        else:
            with pytest.raises(SerializationFailure):
                waiting.result()
    second.commit()
    if level != IsolationLevel.READ_COMMITTED:
        pgwallet.set_target(second, pocket_id, 40)
        second.commit()
    changes = observer.execute(
        "select e.before -> 'target_amount', e.after -> 'target_amount' from pgwallet.event as e "
        "where e.kind = 'set_target' and e.subject_id = %s order by e.event_id",
        [pocket_id],
    ).fetchall()
    assert changes == [(None, 30), (30, 40)]


@pytest.mark.parametrize("level", ALL_LEVELS)
def test_two_who_make_one_currency_get_the_same(connect: Connect, level: IsolationLevel) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    code = f"POINTS{level.value}"

    def make(conn: psycopg.Connection) -> pgwallet.Currency:
        return pgwallet.create_currency(conn, code, 0, "Points")

    at(second, level)
    made = make(first)
    with blocked(second, observer, lambda: make(second)) as waiting:
        first.commit()
        if level == IsolationLevel.READ_COMMITTED:
            assert waiting.result() == made
        else:
            with pytest.raises(SerializationFailure):
                waiting.result()
    second.rollback()
    assert make(second) == made
    second.rollback()
    accounts = "select count(*) from pgwallet.account as a where a.currency = %s"
    assert value(observer, accounts, code) == 3


@pytest.mark.parametrize("level", HIGHER, ids=[each.name.lower() for each in HIGHER])
def test_whoever_does_not_see_a_new_rule_takes_no_other_one_away(
    connect: Connect, level: IsolationLevel
) -> None:
    """Else the wallet's account would say that there are none, and allocations go by none."""
    here, there = connect(autocommit=True), connect()
    wallet = funded(here, fresh("owner"), 1)
    old, new = (
        pgwallet.create_pocket(here, wallet, name, 10, target_amount=5, stop_at_target=stops)
        for name, stops in (("old", True), ("new", False))
    )
    there.isolation_level = level
    there.execute("select from pgwallet.pocket limit 1")
    pgwallet.set_target(here, new.pocket_id, 5, True)
    with pytest.raises(SerializationFailure):
        pgwallet.set_target(there, old.pocket_id, 5, False)
    there.rollback()
    pgwallet.set_target(there, old.pocket_id, 5, False)
    there.commit()
    assert pgwallet.check_ledger(here) == []
