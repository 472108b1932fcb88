"""Two calls at once with one idempotency key, of every function that takes one."""

from functools import partial

import psycopg
import pytest
from psycopg import IsolationLevel

from tests.catalogue.calls import CALLS, KEYED
from tests.catalogue.spoiling import other_calls
from tests.catalogue.world import World
from tests.concurrency.calls import assert_moved, fresh, fresh_world, move
from tests.concurrency.sessions import HIGHER, at, blocked
from tests.conftest import Connect
from tests.ledger.calling import call, value

pytestmark = [pytest.mark.sql, pytest.mark.parametrize("name", KEYED)]


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


def assert_moved_once(conn: psycopg.Connection, world: World, name: str, key: str) -> None:
    keyed = "select count(*) from pgwallet.transaction where idempotency_key = %s"
    assert value(conn, keyed, key) == 1
    assert_moved(conn, world, {name: 10})


def test_the_second_call_waits_and_replays_the_first(connect: Connect, name: str) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world, key = fresh_world(observer), fresh("key")
    done = move(first, name, world, 10, key)
    with blocked(second, observer, partial(move, second, name, world, 10, key)) as waiting:
        first.commit()
        again = waiting.result()
    second.commit()
    assert [row["replayed"] for row in done] == [False]
    assert again == [{**done[0], "replayed": True}]
    assert_moved_once(observer, world, name, key)


def test_the_second_call_does_the_work_when_the_first_is_rolled_back(
    connect: Connect, name: str
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world, key = fresh_world(observer), fresh("key")
    undone = move(first, name, world, 10, key)
    with blocked(second, observer, partial(move, second, name, world, 10, key)) as waiting:
        first.rollback()
        (done,) = waiting.result()
    second.commit()
    assert done["replayed"] is False
    assert done["transaction_id"] != undone[0]["transaction_id"]
    # The client of the first one tries again.
    assert move(first, name, world, 10, key) == [{**done, "replayed": True}]
    first.commit()
    assert_moved_once(observer, world, name, key)


def test_the_second_call_is_a_conflict_when_it_asks_for_something_else(
    connect: Connect, name: str
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world, key = fresh_world(observer), fresh("key")
    move(first, name, world, 10, key)
    arguments = CALLS[name].keyed(CALLS[name].good(world, 10), key)
    other = next(other_calls(CALLS[name], world, arguments))
    with blocked(second, observer, partial(call, second, name, **other)) as waiting:
        first.commit()
        with pytest.raises(psycopg.Error) as caught:
            waiting.result()
    assert caught.value.sqlstate == "PW203"
    second.rollback()
    assert_moved_once(observer, world, name, key)


@pytest.mark.parametrize("level", HIGHER)
def test_under_a_higher_level_the_second_call_fails_and_replays_when_run_again(
    connect: Connect, name: str, level: IsolationLevel
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world, key = fresh_world(observer), fresh("key")
    at(second, level)
    undone = fresh("key")
    move(first, name, world, 1, undone)
    with blocked(second, observer, partial(move, second, name, world, 1, undone)) as waiting:
        first.rollback()
        assert [row["replayed"] for row in waiting.result()] == [False]
    second.rollback()

    at(second, level)
    done = move(first, name, world, 10, key)
    with blocked(second, observer, partial(move, second, name, world, 10, key)) as waiting:
        first.commit()
        with pytest.raises(psycopg.errors.SerializationFailure):
            waiting.result()
    second.rollback()
    assert move(second, name, world, 10, key) == [{**done[0], "replayed": True}]
    second.commit()
    assert_moved_once(observer, world, name, key)
