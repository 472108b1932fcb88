"""A key used again: the first call's result, or a conflict, and never a second effect."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import call, everything, funded, project, refused, value
from tests.ledger.world import World, world_in

pytestmark = pytest.mark.sql

# Each function with a key: its arguments, and others that are no repetition of them.
Arguments = dict[str, Any]
KEYED: dict[str, Callable[[World], tuple[Arguments, list[Arguments]]]] = {
    "deposit": lambda w: (
        {"p_wallet_id": w.wallet, "p_amount": "10"},
        [{"p_amount": "11"}, {"p_wallet_id": w.yen_wallet}],
    ),
    "withdraw": lambda w: (
        {"p_wallet_id": w.wallet, "p_amount": "10"},
        [{"p_amount": "9.99"}, {"p_wallet_id": w.yen_wallet}],
    ),
    "allocate_deposit": lambda w: (
        {"p_wallet_id": w.wallet, "p_amount": "10"},
        [{"p_amount": "11"}, {"p_wallet_id": w.yen_wallet}, {"p_rounding": "largest_remainder"}],
    ),
    "transfer_to_pocket": lambda w: (
        {"p_pocket_id": w.pocket, "p_amount": "10"},
        [{"p_amount": "11"}],
    ),
    "transfer_from_pocket": lambda w: (
        {"p_pocket_id": w.pocket, "p_amount": "10"},
        [{"p_amount": "11"}],
    ),
    "pledge": lambda w: (
        {"p_wallet_id": w.wallet, "p_project_id": w.open, "p_amount": "10"},
        [{"p_amount": "11"}, {"p_project_id": w.succeeded}, {"p_wallet_id": w.yen_wallet}],
    ),
    "release_escrow": lambda w: (
        {"p_escrow_id": w.escrow, "p_amount": "10"},
        [{"p_amount": "11"}, {"p_amount": None}, {"p_escrow_id": w.succeeded_escrow}],
    ),
    "refund_escrow": lambda w: (
        {"p_escrow_id": w.escrow, "p_amount": "10"},
        [{"p_amount": "11"}, {"p_amount": None}, {"p_escrow_id": w.succeeded_escrow}],
    ),
    "payout": lambda w: (
        {"p_project_id": w.open, "p_amount": "10"},
        [{"p_amount": "11"}, {"p_project_id": w.succeeded}],
    ),
}
BULK: dict[str, Callable[[World], tuple[Arguments, list[Arguments]]]] = {
    "deposit_many": lambda w: (
        {"p_wallet_ids": [w.wallet], "p_amounts": ["10"]},
        [{"p_amounts": ["11"]}, {"p_wallet_ids": [w.yen_wallet]}],
    ),
    "allocate_deposits": lambda w: (
        {"p_wallet_ids": [w.wallet], "p_amounts": ["10"]},
        [{"p_amounts": ["11"]}, {"p_rounding": "largest_remainder"}],
    ),
    "pledge_many": lambda w: (
        {"p_project_id": w.open, "p_wallet_ids": [w.wallet], "p_amounts": ["10"]},
        [{"p_amounts": ["11"]}, {"p_project_id": w.succeeded}],
    ),
}
ALL = {**KEYED, **BULK}


@pytest.fixture
def world(conn: psycopg.Connection) -> World:
    return world_in(conn)


def keyed(name: str, arguments: Arguments, key: str = "once") -> Arguments:
    if name in BULK:
        return {**arguments, "p_idempotency_keys": [key]}
    return {**arguments, "p_idempotency_key": key}


def shown_now(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what may differ in a replay: descriptive columns show the present."""
    return {
        column: shown
        for column, shown in row.items()
        if column not in ("replayed", "name", "status", "allocation_percentage")
    }


@pytest.mark.parametrize("name", ALL)
def test_the_same_call_again_returns_the_first_result_and_moves_nothing(
    world: World, name: str
) -> None:
    arguments = keyed(name, ALL[name](world)[0])
    first = call(world.conn, name, **arguments)
    before = everything(world.conn)
    again = call(world.conn, name, **arguments)
    assert first
    assert [row["replayed"] for row in first] == [False] * len(first)
    assert again == [{**row, "replayed": True} for row in first]
    assert everything(world.conn) == before


@pytest.mark.parametrize("name", ALL)
def test_a_replay_shows_the_first_result_after_the_state_has_changed(
    world: World, name: str
) -> None:
    conn = world.conn
    arguments = keyed(name, ALL[name](world)[0])
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


@pytest.mark.parametrize("name", ALL)
def test_the_key_with_other_arguments_is_a_conflict(world: World, name: str) -> None:
    arguments, others = ALL[name](world)
    call(world.conn, name, **keyed(name, arguments))
    for other in others:
        with refused(world.conn, "PW203") as said:
            call(world.conn, name, **keyed(name, {**arguments, **other}))
        assert "once" in said[0].message


@pytest.mark.parametrize("name", ALL)
def test_the_key_with_another_function_is_a_conflict(world: World, name: str) -> None:
    arguments, _ = ALL[name](world)
    call(world.conn, name, **keyed(name, arguments))
    for other in ALL:
        if other != name:
            with refused(world.conn, "PW203"):
                call(world.conn, other, **keyed(other, ALL[other](world)[0]))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("amount", ["10.00", "10.0", "10.000000", "1e1"])
def test_amounts_are_compared_by_value(world: World, name: str, amount: str) -> None:
    arguments, _ = ALL[name](world)
    call(world.conn, name, **keyed(name, arguments))
    same = {"p_amounts": [amount]} if name in BULK else {"p_amount": amount}
    (row, *_) = call(world.conn, name, **keyed(name, {**arguments, **same}))
    assert row["replayed"]


@pytest.mark.parametrize("name", KEYED)
def test_metadata_and_times_are_not_compared(world: World, name: str) -> None:
    arguments, _ = KEYED[name](world)
    call(world.conn, name, **keyed(name, arguments))
    other: Arguments = {"p_metadata": '{"a": 1}', "p_effective_at": "2020-01-01 00:00:00+00"}
    if name == "pledge":
        other["p_expires_at"] = "2999-01-01 00:00:00+00"
    (row, *_) = call(world.conn, name, **keyed(name, {**arguments, **other}))
    assert row["replayed"]


def test_a_pledge_can_be_repeated_after_its_expiry(world: World) -> None:
    arguments = {
        "p_wallet_id": world.wallet,
        "p_project_id": world.open,
        "p_amount": 10,
        "p_idempotency_key": "once",
        "p_expires_at": "2999-01-01 00:00:00+00",
    }
    (first,) = call(world.conn, "pledge", **arguments)
    arguments["p_expires_at"] = "2001-01-01 00:00:00+00"
    (again,) = call(world.conn, "pledge", **arguments)
    assert again == {**first, "replayed": True}


@pytest.mark.parametrize("name", ALL)
def test_a_call_that_was_refused_leaves_its_key_free(world: World, name: str) -> None:
    arguments, _ = ALL[name](world)
    bad = {"p_amounts": ["0.001"]} if name in BULK else {"p_amount": "0.001"}
    with refused(world.conn, "PW001"):
        call(world.conn, name, **keyed(name, {**arguments, **bad}))
    if name not in ("deposit", "deposit_many"):
        # Refused as late as can be: for want of funds, a limit or an escrow's rest.
        large = {"p_amounts": ["900"]} if name in BULK else {"p_amount": "900"}
        with pytest.raises(psycopg.Error), world.conn.transaction():
            call(world.conn, name, **keyed(name, {**arguments, **large}))
    (row, *_) = call(world.conn, name, **keyed(name, arguments))
    assert row["replayed"] is False


@pytest.mark.parametrize("name", ALL)
def test_a_call_that_was_rolled_back_leaves_its_key_free(world: World, name: str) -> None:
    arguments, _ = ALL[name](world)
    with world.conn.transaction(force_rollback=True):
        call(world.conn, name, **keyed(name, arguments))
    (row, *_) = call(world.conn, name, **keyed(name, arguments))
    assert row["replayed"] is False


def test_an_allocation_that_moves_nothing_still_uses_its_key(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 10)
    nothing = pgwallet.allocate_deposit(conn, wallet_id, 5, idempotency_key="once")
    assert nothing.shares == ()
    many = pgwallet.allocate_deposits(conn, [wallet_id], [5], ["twice"])
    assert many == []
    assert value(conn, "select count(idempotency_key) from pgwallet.transaction") == 2

    # Pockets that come later change nothing about it.
    pgwallet.create_pocket(conn, wallet_id, "late", 100)
    before = everything(conn)
    assert pgwallet.allocate_deposit(conn, wallet_id, 5, idempotency_key="once").shares == ()
    assert pgwallet.allocate_deposits(conn, [wallet_id], [5], ["twice"]) == []
    assert everything(conn) == before
    with refused(conn, "PW203"):
        pgwallet.allocate_deposit(conn, wallet_id, 6, idempotency_key="once")
    with refused(conn, "PW203"):
        pgwallet.allocate_deposits(conn, [wallet_id], [6], ["twice"])


def test_a_null_key_in_an_array_is_no_key(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0)
    for _ in range(2):
        rows = pgwallet.deposit_many(conn, [wallet_id] * 3, [1, 1, 1], [None, "once", None])
        assert [row.wallet_id for row in rows] == [wallet_id] * 3
    assert [row.replayed for row in rows] == [False, True, False]
    assert [row.balance for row in rows] == [4, 2, 5]
    assert pgwallet.balance(conn, wallet_id) == 5
    assert pgwallet.check_ledger(conn) == []


def test_a_key_repeated_within_a_call_replays_the_first(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 100)
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
    world: World, name: str
) -> None:
    arguments, _ = BULK[name](world)
    arguments = {
        **arguments,
        "p_wallet_ids": [world.wallet] * 2,
        "p_amounts": ["10", "11"],
        "p_idempotency_keys": ["a", "a"],
    }
    with refused(world.conn, "PW203"):
        call(world.conn, name, **arguments)


def test_of_many_keys_the_first_that_was_used_otherwise_is_named(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0)
    pgwallet.deposit_many(conn, [wallet_id] * 3, [1, 2, 3], ["a", "b", "c"])
    with refused(conn, "PW203") as said:
        pgwallet.deposit_many(conn, [wallet_id] * 3, [3, 4, 5], ["c", "b", "a"])
    assert "'b'" in said[0].message


def test_elements_replay_across_calls_in_any_grouping(conn: psycopg.Connection) -> None:
    ada, bob = funded(conn, "ada", 0), funded(conn, "bob", 0)
    first = pgwallet.deposit_many(conn, [ada, bob], [1, 2], ["a", "b"])
    again = pgwallet.deposit_many(conn, [bob, bob, ada], [2, 3, 1], ["b", "c", "a"])
    assert [row.replayed for row in again] == [True, False, True]
    assert [row.transaction_id for row in again[::2]] == [row.transaction_id for row in first[::-1]]
    assert [row.balance for row in again] == [2, 5, 1]
