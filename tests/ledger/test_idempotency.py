"""A key used again: the first call's result, or a conflict, and never a second effect."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.catalogue.call_of import Arguments
from tests.catalogue.calls import BULK, CALLS, KEYED, good
from tests.catalogue.spoiling import faults, good_call, other_calls, same_calls
from tests.catalogue.world import World
from tests.ledger.calling import call, everything, funded, project, refused, value

pytestmark = pytest.mark.sql


@pytest.fixture
def conn(undone: psycopg.Connection) -> psycopg.Connection:
    return undone


def keyed(name: str, world: World) -> Arguments:
    """A good call with the key `once`."""
    return CALLS[name].keyed(good(name, world), "once")


def shown_now(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what may differ in a replay: descriptive columns show the present."""
    return {
        column: shown
        for column, shown in row.items()
        if column not in ("replayed", "name", "status", "allocation_percentage")
    }


@pytest.mark.parametrize("name", KEYED)
def test_the_same_call_again_returns_the_first_result_and_moves_nothing(
    conn: psycopg.Connection, world: World, name: str
) -> None:
    arguments = keyed(name, world)
    first = call(conn, name, **arguments)
    before = everything(conn)
    again = call(conn, name, **arguments)
    assert first
    assert [row["replayed"] for row in first] == [False] * len(first)
    assert again == [{**row, "replayed": True} for row in first]
    assert everything(conn) == before


@pytest.mark.parametrize("name", KEYED)
def test_a_replay_shows_the_first_result_after_the_state_has_changed(
    conn: psycopg.Connection, world: World, name: str
) -> None:
    arguments = keyed(name, world)
    first = call(conn, name, **arguments)
    for wallet_id in (world.wallet, world.yen_wallet):
        pgwallet.withdraw(conn, wallet_id, pgwallet.balance(conn, wallet_id))
    pgwallet.transfer_from_pocket(conn, world.pocket, pgwallet.balance(conn, world.pocket))
    pgwallet.set_allocation(conn, world.pocket, 0)
    pgwallet.payout(conn, world.open, pgwallet.balance(conn, world.open))
    pgwallet.close_project(conn, world.open, "failed")
    pgwallet.refund_escrows(conn, world.open)
    before = everything(conn)
    again = call(conn, name, **arguments)
    assert [shown_now(row) for row in again] == [shown_now(row) for row in first]
    assert all(row["replayed"] for row in again)
    assert everything(conn) == before


@pytest.mark.parametrize("name", KEYED)
def test_the_key_with_other_arguments_is_a_conflict(
    conn: psycopg.Connection, world: World, name: str
) -> None:
    arguments = keyed(name, world)
    call(conn, name, **arguments)
    others = list(other_calls(CALLS[name], world, arguments))
    assert len(others) >= (1 if CALLS[name].whole else 2)
    for other in others:
        with refused(conn, "PW203") as said:
            call(conn, name, **other)
        assert "once" in said[0].message


@pytest.mark.parametrize("name", KEYED)
def test_the_key_with_another_function_is_a_conflict(
    conn: psycopg.Connection, world: World, name: str
) -> None:
    call(conn, name, **keyed(name, world))
    for other in KEYED:
        if other != name:
            with refused(conn, "PW203"):
                call(conn, other, **keyed(other, world))


@pytest.mark.parametrize("name", [name for name in KEYED if CALLS[name].takes_amount])
@pytest.mark.parametrize("amount", ["10.00", "10.0", "10.000000", "1e1"])
def test_amounts_are_compared_by_value(
    conn: psycopg.Connection, world: World, name: str, amount: str
) -> None:
    call(conn, name, **CALLS[name].with_amount(keyed(name, world), 10))
    (row, *_) = call(conn, name, **CALLS[name].with_amount(keyed(name, world), amount))
    assert row["replayed"]


@pytest.mark.parametrize("name", KEYED)
def test_metadata_and_times_are_not_compared(
    conn: psycopg.Connection, world: World, name: str
) -> None:
    arguments = keyed(name, world)
    call(conn, name, **arguments)
    for same in same_calls(CALLS[name], world, arguments):
        (row, *_) = call(conn, name, **same)
        assert row["replayed"]


def test_a_pledge_can_be_repeated_after_its_expiry(conn: psycopg.Connection, world: World) -> None:
    arguments = {**keyed("pledge", world), "p_expires_at": "2999-01-01 00:00:00+00"}
    (first,) = call(conn, "pledge", **arguments)
    arguments["p_expires_at"] = "2001-01-01 00:00:00+00"
    (again,) = call(conn, "pledge", **arguments)
    assert again == {**first, "replayed": True}


@pytest.mark.parametrize("name", KEYED)
def test_a_call_that_was_refused_leaves_its_key_free(
    conn: psycopg.Connection, world: World, name: str
) -> None:
    """Whatever the refusal; for want of funds or of a state it comes as late as can be."""
    arguments = CALLS[name].keyed(good_call(CALLS[name], world), "once")
    for fault in faults(CALLS[name]):
        with pytest.raises(psycopg.Error) as caught, conn.transaction():
            call(conn, name, **fault.change(world, arguments))
        assert caught.value.sqlstate == fault.code
    (row, *_) = call(conn, name, **arguments)
    assert row["replayed"] is False


@pytest.mark.parametrize("name", KEYED)
def test_a_call_that_was_rolled_back_leaves_its_key_free(
    conn: psycopg.Connection, world: World, name: str
) -> None:
    with conn.transaction(force_rollback=True):
        call(conn, name, **keyed(name, world))
    (row, *_) = call(conn, name, **keyed(name, world))
    assert row["replayed"] is False


def test_an_allocation_that_moves_nothing_still_uses_its_key(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "adam", 10)
    nothing = pgwallet.allocate_deposit(conn, wallet_id, 5, idempotency_key="once")
    assert nothing.shares == ()
    many = pgwallet.allocate_deposits(conn, [wallet_id], [5], ["twice"])
    assert [row.replayed for row in many] == [False]
    assert value(conn, "select count(idempotency_key) from pgwallet.transaction") == 2

    # Pockets that come later change nothing about it.
    pgwallet.create_pocket(conn, wallet_id, "late", 100)
    before = everything(conn)
    again = pgwallet.allocate_deposit(conn, wallet_id, 5, idempotency_key="once")
    assert again == replace(nothing, replayed=True)
    assert pgwallet.allocate_deposits(conn, [wallet_id], [5], ["twice"]) == [
        replace(many[0], replayed=True)
    ]
    assert everything(conn) == before
    with refused(conn, "PW203"):
        pgwallet.allocate_deposit(conn, wallet_id, 6, idempotency_key="once")
    with refused(conn, "PW203"):
        pgwallet.allocate_deposits(conn, [wallet_id], [6], ["twice"])


def test_a_null_key_in_an_array_is_no_key(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "adam", 0)
    for _ in range(2):
        rows = pgwallet.deposit_many(conn, [wallet_id] * 3, [1, 1, 1], [None, "once", None])
        assert [row.wallet_id for row in rows] == [wallet_id] * 3
    assert [row.replayed for row in rows] == [False, True, False]
    assert [row.balance for row in rows] == [4, 2, 5]
    assert pgwallet.balance(conn, wallet_id) == 5
    assert pgwallet.check_ledger(conn) == []


def test_a_key_repeated_within_a_call_replays_the_first(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "adam", 100)
    pgwallet.create_pocket(conn, wallet_id, "half", 50)
    project_id = project(conn)
    ids, amounts, keys = [wallet_id] * 3, [10, 20, 10], ["a", "b", "a"]
    deposits = pgwallet.deposit_many(conn, ids, amounts, keys)
    assert [row.replayed for row in deposits] == [False, False, True]
    assert [row.balance for row in deposits] == [110, 130, 110]
    assert deposits[0].transaction_id == deposits[2].transaction_id

    keys = ["c", "d", "c"]
    pledges = pgwallet.pledge_many(conn, project_id, ids, amounts, keys)
    assert [row.replayed for row in pledges] == [False, False, True]
    assert [row.balance for row in pledges] == [120, 100, 120]
    assert pledges[0].escrow_id == pledges[2].escrow_id

    keys = ["e", "f", "e"]
    shares = pgwallet.allocate_deposits(conn, ids, amounts, keys)
    assert [row.replayed for row in shares] == [False, False, True]
    assert [row.balance for row in shares] == [5, 15, 5]
    assert pgwallet.balance(conn, wallet_id) == 85
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("name", BULK)
def test_a_key_repeated_within_a_call_with_another_amount_is_a_conflict(
    conn: psycopg.Connection, world: World, name: str
) -> None:
    arguments = good_call(CALLS[name], world)
    with refused(conn, "PW203"):
        call(
            conn,
            name,
            **{**arguments, "p_amounts": ["10", "11"], "p_idempotency_keys": ["a", "a"]},
        )


def test_of_many_keys_the_first_that_was_used_otherwise_is_named(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "adam", 0)
    pgwallet.deposit_many(conn, [wallet_id] * 3, [1, 2, 3], ["a", "b", "c"])
    with refused(conn, "PW203") as said:
        pgwallet.deposit_many(conn, [wallet_id] * 3, [3, 4, 5], ["c", "b", "a"])
    assert "'b'" in said[0].message


def test_elements_replay_across_calls_in_any_grouping(conn: psycopg.Connection) -> None:
    ada, bob = funded(conn, "adam", 0), funded(conn, "ben", 0)
    first = pgwallet.deposit_many(conn, [ada, bob], [1, 2], ["a", "b"])
    again = pgwallet.deposit_many(conn, [bob, bob, ada], [2, 3, 1], ["b", "c", "a"])
    assert [row.replayed for row in again] == [True, False, True]
    assert [row.transaction_id for row in again[::2]] == [row.transaction_id for row in first[::-1]]
    assert [row.balance for row in again] == [2, 5, 1]
