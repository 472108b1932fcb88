"""Every bad input that the catalogue knows of, sent to every function.

Sent as plain SQL, since the driver stops some of it. `refused` sees that nothing moved.
"""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests import clusters
from tests.catalogue.calls import CALLS, TOGETHER, good
from tests.catalogue.spoiling import Fault, faults, good_call
from tests.catalogue.world import World
from tests.ledger.calling import by_hand, call, refused

pytestmark = pytest.mark.sql

FAULTS = [
    (name, fault)
    for name in CALLS
    if name not in clusters.NOT_HERE
    for fault in faults(CALLS[name])
]


@pytest.mark.parametrize(
    ("name", "fault"),
    FAULTS,
    ids=[f"{n}-{name}-{fault.what}-{fault.code}" for n, (name, fault) in enumerate(FAULTS)],
)
def test_bad_input_is_refused_by_its_code_and_moves_nothing(
    shared: psycopg.Connection, world: World, name: str, fault: Fault
) -> None:
    arguments = fault.change(world, good_call(CALLS[name], world))
    with refused(shared, fault.code):
        call(shared, name, **arguments)


@pytest.mark.parametrize("elements", [1, 2])
@pytest.mark.parametrize("name", [name for name in TOGETHER if name not in clusters.NOT_HERE])
def test_the_good_calls_are_good(
    shared: psycopg.Connection, world: World, name: str, elements: int
) -> None:
    its = good(name, world) if elements == 1 else good_call(CALLS[name], world)
    with shared.transaction(force_rollback=True):
        call(shared, name, **its)


def test_percentages_that_pass_100_are_refused_when_they_change(
    shared: psycopg.Connection, world: World
) -> None:
    with shared.transaction(force_rollback=True):
        call(shared, "create_pocket", world.wallet, "rent", 50)
        with refused(shared, "PW302"):
            call(shared, "set_allocation", world.pocket, "50.0001")


def test_metadata_may_take_as_many_bytes_as_the_settings_say(
    shared: psycopg.Connection, world: World
) -> None:
    """Written as text, so an "ä" takes two and the quotes two more, whatever the spaces around."""
    with shared.transaction(force_rollback=True):
        call(shared, "deposit", world.wallet, 1, p_metadata=f'"{"x" * 9_998}"')
        with refused(shared, "PW002") as said:
            call(shared, "deposit", world.wallet, 1, p_metadata=f'"{"x" * 9_999}"')
        assert "10001" in (said[0].detail or "")
        assert "10000" in (said[0].detail or "")
        shared.execute("update pgwallet.settings set max_metadata_bytes = 1000")
        call(shared, "deposit", world.wallet, 1, p_metadata=f' "{"ä" * 499}" ')
        with refused(shared, "PW002"):
            call(shared, "deposit", world.wallet, 1, p_metadata=f'"{"ä" * 499}x"')


@pytest.mark.parametrize("table", ["transaction", "posting"])
@pytest.mark.parametrize(
    "statement",
    [
        "update pgwallet.{} set created_at = now()",
        "delete from pgwallet.{}",
        "delete from pgwallet.{} where false",
        "truncate pgwallet.{} cascade",
    ],
)
def test_what_was_recorded_never_changes_not_even_for_the_owner(
    shared: psycopg.Connection, table: str, statement: str
) -> None:
    with refused(shared, "PW901") as said:
        by_hand(shared, statement.format(table))
    assert table in said[0].message


@pytest.mark.parametrize("table", ["account", "wallet", "pocket", "project", "escrow"])
@pytest.mark.parametrize(
    "statement",
    [
        "delete from pgwallet.{}",
        "delete from pgwallet.{} where false",
        "truncate pgwallet.{} cascade",
    ],
)
def test_what_money_moved_through_is_never_deleted_not_even_by_the_owner(
    shared: psycopg.Connection, table: str, statement: str
) -> None:
    with refused(shared, "PW901") as said:
        by_hand(shared, statement.format(table))
    assert f"pgwallet.{table}" in said[0].message


@pytest.mark.parametrize(
    ("name", "spoil", "named"),
    [
        ("withdraw", {"p_amount": 250}, lambda w: w.wallet),
        ("payout", {"p_amount": 250}, lambda w: w.open),
        ("transfer_from_pocket", {"p_amount": 250}, lambda w: w.pocket),
        ("pledge", {"p_amount": 501}, lambda w: w.open),
        ("release_escrow", {"p_amount": 31}, lambda w: w.escrow),
        ("refund_escrow", {"p_amount": 31}, lambda w: w.escrow),
        ("close_project", {"p_outcome": "lost"}, lambda w: "lost"),
        ("deposit", {"p_wallet_id": 4711}, lambda w: 4711),
    ],
)
def test_the_message_names_the_object(
    shared: psycopg.Connection,
    world: World,
    name: str,
    spoil: dict[str, Any],
    named: Callable[[World], object],
) -> None:
    with pytest.raises(psycopg.Error) as caught, shared.transaction():
        call(shared, name, **{**good(name, world), **spoil})
    assert str(named(world)) in (caught.value.diag.message_primary or "")


@pytest.mark.parametrize(
    "text",
    ["O'Hara", '"quoted"', "100 %", "%s %I %L", "a\\b", "$$; drop table", "日本語", "x" * 200],
)
def test_any_other_text_is_taken_as_it_is(
    shared: psycopg.Connection, world: World, text: str
) -> None:
    conn = shared
    with conn.transaction(force_rollback=True):
        (wallet,) = call(conn, "create_wallet", text)
        assert wallet["owner_id"] == text
        (pocket,) = call(conn, "create_pocket", wallet["wallet_id"], text, 100)
        assert pocket["name"] == text
        (project,) = call(conn, "create_project", text)
        assert project["reference"] == text
        for replayed in (False, True):
            (deposit,) = call(conn, "deposit", wallet["wallet_id"], 10, text)
            assert deposit["replayed"] is replayed
        with refused(conn, "PW203"):
            call(conn, "deposit", wallet["wallet_id"], 11, text)
        with refused(conn, "PW002"):
            call(conn, "create_pocket", wallet["wallet_id"], text)
        with refused(conn, "PW002"):
            call(conn, "create_project", text, "USD")
        for name in ("close_project", "allocate_deposit"):
            last = ("p_outcome",) if name == "close_project" else ("p_rounding",)
            with refused(conn, "PW002"):
                call(conn, name, **{**good(name, world), last[0]: text})
        with refused(conn, "PW003"):
            call(conn, "create_wallet", "bob", text)
