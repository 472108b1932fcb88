"""An owner is erased while money moves: what was under way is erased too, or comes after it."""

from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel, errors

import pgwallet
from tests.catalogue.calls import CALLS, KEYED
from tests.concurrency.calls import fresh, fresh_world
from tests.concurrency.sessions import ALL_LEVELS, HIGHER, at, blocked
from tests.conftest import Connect
from tests.ledger.calling import call, funded

pytestmark = pytest.mark.sql

NOTE = {"who": "ada"}
# A wallet's calls that carry metadata: not those that are a project's or the platform's.
OF_WALLET = [
    name
    for name in KEYED
    if CALLS[name].takes("p_metadata")
    and not CALLS[name].is_bulk
    and name not in ("payout", "collect_earnings")
]


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


def note_of(conn: psycopg.Connection, transaction_id: int) -> Any:
    return pgwallet.get_transaction(conn, transaction_id).metadata


@pytest.mark.parametrize("name", OF_WALLET)
def test_an_erasure_waits_for_a_call_under_way_and_erases_it(connect: Connect, name: str) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world = fresh_world(observer)
    noted = {**CALLS[name].good(world, 5), "p_metadata": '{"who": "ada"}'}
    (row, *_) = call(first, name, **noted)
    with blocked(second, observer, partial(pgwallet.erase_owner, second, world.wallet)) as waiting:
        first.commit()
    assert waiting.result().transaction_count == 1
    second.commit()
    assert note_of(observer, row["transaction_id"]) is None
    assert pgwallet.check_ledger(observer) == []


@pytest.mark.parametrize("name", OF_WALLET)
def test_a_call_waits_for_an_erasure_and_may_carry_metadata_again(
    connect: Connect, name: str
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    world = fresh_world(observer)
    pgwallet.erase_owner(first, world.wallet)
    noted = {**CALLS[name].good(world, 5), "p_metadata": '{"who": "ada"}'}
    with blocked(second, observer, partial(call, second, name, **noted)) as waiting:
        first.commit()
    second.commit()
    assert note_of(observer, waiting.result()[0]["transaction_id"]) == NOTE
    assert pgwallet.erase_owner(observer, world.wallet).transaction_count == 1


@pytest.mark.parametrize("level", HIGHER)
def test_an_erasure_with_an_older_snapshot_is_run_again(
    connect: Connect, level: IsolationLevel
) -> None:
    """Where it cannot see what it waited for, it fails, and never leaves that behind."""
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id = funded(observer, fresh("owner"), 10)
    at(second, level)
    pgwallet.deposit(first, wallet_id, 1, metadata=NOTE)
    with blocked(second, observer, partial(pgwallet.erase_owner, second, wallet_id)) as waiting:
        first.commit()
    with pytest.raises(errors.SerializationFailure):
        waiting.result()
    second.rollback()
    assert pgwallet.erase_owner(second, wallet_id).transaction_count == 1


@pytest.mark.parametrize("level", ALL_LEVELS)
def test_two_erasures_of_one_wallet_are_one(connect: Connect, level: IsolationLevel) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id = funded(observer, fresh("owner"), 10)
    pgwallet.deposit(observer, wallet_id, 1, metadata=NOTE)
    at(second, level)
    erased = pgwallet.erase_owner(first, wallet_id)
    with blocked(second, observer, partial(pgwallet.erase_owner, second, wallet_id)) as waiting:
        first.commit()
    if level is IsolationLevel.READ_COMMITTED:
        assert waiting.result().owner_id == erased.owner_id
        assert waiting.result().transaction_count == 0
    else:
        with pytest.raises(errors.SerializationFailure):
            waiting.result()
    second.rollback()
    kinds = [event.kind for event in pgwallet.list_events(observer, wallet_id)]
    assert kinds.count("erase_owner") == 1


@pytest.mark.parametrize("_", range(5))
def test_erasures_that_share_transactions_never_deadlock(connect: Connect, _: int) -> None:
    """A transfer is of two wallets, and it loses its metadata with the first that is erased."""
    holder, observer = connect(), connect(autocommit=True)
    first, second = connect(autocommit=True), connect(autocommit=True)
    ada, bob = (funded(observer, fresh("owner"), 1000) for _ in range(2))
    shared = []
    for number in range(30):
        ends = (ada, bob) if number % 2 else (bob, ada)
        moved = pgwallet.transfer(observer, *ends, 1, metadata={"number": number})
        shared.append(moved.transaction_id)
    # Both wait, one of them half-way; in orders of their own each has what the other needs by then.
    holder.execute(
        "select from pgwallet.transaction where transaction_id = %s for update", [shared[15]]
    )
    with (
        blocked(first, observer, partial(pgwallet.erase_owner, first, ada)) as one,
        blocked(second, observer, partial(pgwallet.erase_owner, second, bob)) as other,
    ):
        holder.rollback()
        assert one.result().transaction_count + other.result().transaction_count == 30
    assert pgwallet.check_ledger(observer) == []
