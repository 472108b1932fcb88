"""Pockets with rules: one that stops at its target, one that takes the rest, and renaming them."""

from decimal import Decimal
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import everything, funded, refused, value

pytestmark = pytest.mark.sql

ROUNDINGS = ["half_up", "largest_remainder"]


def shares(allocation: pgwallet.Allocation) -> list[tuple[str, str]]:
    return [(share.name, str(share.amount)) for share in allocation.shares]


def events(conn: psycopg.Connection, kind: str) -> list[tuple[Any, ...]]:
    return conn.execute(
        "select subject_id, before, after from pgwallet.event where kind = %s order by event_id",
        [kind],
    ).fetchall()


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_thirds_are_two_percentages_and_the_rest(conn: psycopg.Connection, rounding: str) -> None:
    wallet_id = funded(conn, "ada", 100)
    pgwallet.create_pocket(conn, wallet_id, "rest", takes_rest=True)
    third = Decimal("33.3333")
    pgwallet.create_pocket(conn, wallet_id, "one", third)
    pgwallet.create_pocket(conn, wallet_id, "two", third)
    preview = pgwallet.preview_allocation(conn, wallet_id, 100, rounding)
    split = pgwallet.allocate_deposit(conn, wallet_id, 100, rounding)
    assert shares(split) == [("one", "33.33"), ("two", "33.33"), ("rest", "33.34")]
    assert (str(split.allocated), str(split.remaining)) == ("100.00", "0.00")
    assert preview.shares == split.shares
    assert split.shares[-1].allocation_percentage == 0


@pytest.mark.parametrize("target", [None, 50], ids=["no rules", "a target"])
@pytest.mark.parametrize("key", [None, "payday"])
def test_the_rounding_is_the_one_asked_for(
    conn: psycopg.Connection, key: str | None, target: int | None
) -> None:
    wallet_id = funded(conn, "ada", 100)
    for name in "abcd":
        pgwallet.create_pocket(conn, wallet_id, name, 25, None, target, target is not None)
    tenth = Decimal("0.10")
    split = pgwallet.allocate_deposit(conn, wallet_id, tenth, "largest_remainder", key)
    assert [str(share.amount) for share in split.shares] == ["0.03", "0.03", "0.02", "0.02"]


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_a_pocket_that_stops_gets_what_it_lacks_and_no_more(
    conn: psycopg.Connection, rounding: str
) -> None:
    wallet_id = funded(conn, "ada", 1000)
    holiday = pgwallet.create_pocket(conn, wallet_id, "holiday", 50, None, 60, True)
    pgwallet.create_pocket(conn, wallet_id, "other", 50)
    assert shares(pgwallet.allocate_deposit(conn, wallet_id, 100, rounding)) == [
        ("holiday", "50.00"),
        ("other", "50.00"),
    ]
    assert shares(pgwallet.allocate_deposit(conn, wallet_id, 100, rounding)) == [
        ("holiday", "10.00"),
        ("other", "50.00"),
    ]
    last = pgwallet.allocate_deposit(conn, wallet_id, 100, rounding)
    assert shares(last) == [("other", "50.00")]
    assert last.remaining == 50
    # Above its target it gets nothing, and below it again what it lacks then.
    pgwallet.transfer_to_pocket(conn, holiday.pocket_id, 5)
    assert shares(pgwallet.allocate_deposit(conn, wallet_id, 10, rounding)) == [("other", "5.00")]
    pgwallet.transfer_from_pocket(conn, holiday.pocket_id, Decimal("6.50"))
    assert shares(pgwallet.allocate_deposit(conn, wallet_id, 10, rounding)) == [
        ("holiday", "1.50"),
        ("other", "5.00"),
    ]
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_what_takes_the_rest_may_stop_too(conn: psycopg.Connection, rounding: str) -> None:
    wallet_id = funded(conn, "ada", 100)
    pgwallet.create_pocket(conn, wallet_id, "tenth", 10)
    pgwallet.create_pocket(conn, wallet_id, "rest", 0, None, Decimal("0.50"), True, True)
    split = pgwallet.allocate_deposit(conn, wallet_id, 1, rounding)
    assert shares(split) == [("tenth", "0.10"), ("rest", "0.50")]
    assert split.remaining == Decimal("0.40")


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_a_wallet_with_nothing_but_the_rest_gives_it_all(
    conn: psycopg.Connection, rounding: str
) -> None:
    wallet_id = funded(conn, "ada", 100)
    pgwallet.create_pocket(conn, funded(conn, "bob", 100), "another's rest", takes_rest=True)
    pgwallet.create_pocket(conn, wallet_id, "rest", takes_rest=True)
    assert shares(pgwallet.allocate_deposit(conn, wallet_id, Decimal("0.010"), rounding)) == [
        ("rest", "0.01")
    ]
    with refused(conn, "PW201") as said:
        pgwallet.allocate_deposit(conn, wallet_id, 100, rounding)
    assert "99.99" in (said[0].detail or "")


def test_nothing_is_left_for_the_rest_when_shares_were_rounded_up(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 100)
    for name in "abcd":
        pgwallet.create_pocket(conn, wallet_id, name, Decimal("24.9"))
    pgwallet.create_pocket(conn, wallet_id, "rest", takes_rest=True)
    tenth = Decimal("0.10")
    assert shares(pgwallet.allocate_deposit(conn, wallet_id, tenth)) == [
        *(("a", "0.02"), ("b", "0.02"), ("c", "0.02"), ("d", "0.02")),
        ("rest", "0.02"),
    ]
    # 0.02625 is rounded to 0.03, four times of which is more than there is.
    amount = Decimal("0.11")
    assert shares(pgwallet.allocate_deposit(conn, wallet_id, amount)) == [
        *(("a", "0.03"), ("b", "0.03"), ("c", "0.03"), ("d", "0.02")),
    ]


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_the_rest_takes_part_beside_the_limit_of_pockets(
    conn: psycopg.Connection, rounding: str
) -> None:
    conn.execute("update pgwallet.settings set max_pockets_per_allocation = 1")
    wallet_id = funded(conn, "ada", 100)
    pgwallet.create_pocket(conn, wallet_id, "rest", takes_rest=True)
    pgwallet.create_pocket(conn, wallet_id, "ten", 10)
    pgwallet.create_pocket(conn, wallet_id, "twenty", 20)
    split = pgwallet.allocate_deposit(conn, wallet_id, 10, rounding)
    assert shares(split) == [("twenty", "2.00"), ("rest", "8.00")]


def test_credit_fills_no_pocket(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 10)
    pgwallet.create_pocket(conn, wallet_id, "rest", takes_rest=True)
    conn.execute("update pgwallet.account set credit_limit = 50 where account_id = %s", [wallet_id])
    for amount in (Decimal("10.01"), 60):
        with refused(conn, "PW201"):
            pgwallet.allocate_deposit(conn, wallet_id, amount)
        with refused(conn, "PW201"):
            pgwallet.allocate_deposits(conn, [wallet_id], [amount])
    assert pgwallet.allocate_deposit(conn, wallet_id, 10).allocated == 10


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_allocations_of_one_call_see_what_earlier_ones_put_in(
    conn: psycopg.Connection, rounding: str
) -> None:
    ada, bob = funded(conn, "ada", 100), funded(conn, "bob", 100)
    pgwallet.create_pocket(conn, ada, "holiday", 50, None, 30, True)
    pgwallet.create_pocket(conn, ada, "rest", takes_rest=True)
    pgwallet.create_pocket(conn, bob, "half", 50)
    rows = pgwallet.allocate_deposits(
        conn, [ada, bob, ada, ada], [40, 10, 40, 20], ["a", "b", "c", "d"], rounding
    )
    told = [(row.name, str(row.amount), str(row.balance)) for row in rows]
    assert told == [
        ("holiday", "20.00", "20.00"),
        ("rest", "20.00", "20.00"),
        ("half", "5.00", "5.00"),
        ("holiday", "10.00", "30.00"),
        ("rest", "30.00", "50.00"),
        ("rest", "20.00", "70.00"),
    ]
    again = pgwallet.allocate_deposits(
        conn, [ada, bob, ada, ada], [40, 10, 40, 20], ["a", "b", "c", "d"], rounding
    )
    assert [(row.name, str(row.amount), str(row.balance)) for row in again] == told
    assert all(row.replayed for row in again)
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_what_is_too_much_together_is_told_with_what_came_before(
    conn: psycopg.Connection, rounding: str
) -> None:
    ada, bob = funded(conn, "ada", 100), funded(conn, "bob", 100)
    pgwallet.create_pocket(conn, ada, "rest", takes_rest=True)
    pgwallet.create_pocket(conn, bob, "half", 50)
    with refused(conn, "PW201") as said:
        pgwallet.allocate_deposits(conn, [ada, bob, ada], [60, 10, 50], None, rounding)
    assert said[0].message == f"wallet {ada} does not hold enough"
    assert said[0].detail == "Its balance is 100.00, the amount 110.00."


def test_of_a_stopping_pocket_the_wallet_needs_only_what_it_lacks(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 30)
    pgwallet.create_pocket(conn, wallet_id, "holiday", 100, None, 30, True)
    rows = pgwallet.allocate_deposits(conn, [wallet_id, wallet_id], [1000, 1000])
    assert [row.amount for row in rows] == [30, 0]


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_a_full_pocket_gives_its_unit_to_none_but_the_rest(
    conn: psycopg.Connection, rounding: str
) -> None:
    wallet_id = funded(conn, "ada", 30)
    full = pgwallet.create_pocket(conn, wallet_id, "full", 50, None, 1, True)
    pgwallet.create_pocket(conn, wallet_id, "half", 50)
    pgwallet.transfer_to_pocket(conn, full.pocket_id, 1)
    # Rounded half up, the second gets what the first did not; the missing unit was the first's.
    expected = {"half_up": [("half", "0.01")], "largest_remainder": []}[rounding]
    split = pgwallet.allocate_deposit(conn, wallet_id, Decimal("0.01"), rounding)
    assert shares(split) == expected
    pgwallet.create_pocket(conn, wallet_id, "rest", takes_rest=True)
    split = pgwallet.allocate_deposit(conn, wallet_id, Decimal("0.01"), rounding)
    assert shares(split) == (expected or [("rest", "0.01")])


def test_one_pocket_of_a_wallet_takes_the_rest(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0)
    rest = pgwallet.create_pocket(conn, wallet_id, "rest", takes_rest=True).pocket_id
    other = pgwallet.create_pocket(conn, wallet_id, "other").pocket_id
    with refused(conn, "PW002") as said:
        pgwallet.create_pocket(conn, wallet_id, "third", takes_rest=True)
    assert f"pocket {rest}" in (said[0].detail or "")
    with refused(conn, "PW002") as said:
        pgwallet.set_allocation(conn, other, 0, True)
    assert f"pocket {rest}" in (said[0].detail or "")
    # To say it again is no second one.
    assert pgwallet.set_allocation(conn, rest, 0, True).takes_rest
    assert not pgwallet.set_allocation(conn, rest, 0).takes_rest
    assert pgwallet.set_allocation(conn, other, 0, True).takes_rest
    # Another wallet has a rest of its own.
    assert pgwallet.create_pocket(conn, funded(conn, "bob", 0), "rest", takes_rest=True).takes_rest


def test_what_takes_the_rest_has_no_percentage(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "pocket", 20).pocket_id
    with refused(conn, "PW002"):
        pgwallet.create_pocket(conn, wallet_id, "rest", Decimal("0.0001"), takes_rest=True)
    with refused(conn, "PW002"):
        pgwallet.set_allocation(conn, pocket_id, 20, True)
    pocket = pgwallet.set_allocation(conn, pocket_id, 0, True)
    assert pocket.takes_rest
    assert pocket.allocation_percentage == 0
    # Its 20 are free again.
    assert pgwallet.create_pocket(conn, wallet_id, "all", 100).allocation_percentage == 100


def test_what_has_no_target_cannot_stop_there(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0)
    with refused(conn, "PW002"):
        pgwallet.create_pocket(conn, wallet_id, "pocket", stop_at_target=True)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "pocket").pocket_id
    with refused(conn, "PW002"):
        pgwallet.set_target(conn, pocket_id, None, True)


def test_a_target_is_set_and_taken_away(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 30)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "pocket", 50).pocket_id
    pgwallet.transfer_to_pocket(conn, pocket_id, 10)
    pocket = pgwallet.set_target(conn, pocket_id, Decimal("12.5"), True)
    assert (str(pocket.target_amount), pocket.stop_at_target) == ("12.50", True)
    assert str(pocket.lacking_amount) == "2.50"
    assert pgwallet.list_pockets(conn, wallet_id) == [pocket]
    assert str(pgwallet.set_target(conn, pocket_id, 4).lacking_amount) == "0.00"
    pocket = pgwallet.set_target(conn, pocket_id, None)
    assert (pocket.target_amount, pocket.stop_at_target, pocket.lacking_amount) == (
        *(None, False),
        None,
    )
    assert shares(pgwallet.allocate_deposit(conn, wallet_id, 20)) == [("pocket", "10.00")]


def test_a_pocket_is_renamed_within_its_wallet(conn: psycopg.Connection) -> None:
    ada, bob = funded(conn, "ada", 0), funded(conn, "bob", 0)
    one = pgwallet.create_pocket(conn, ada, "one", 30, "savings", 500).pocket_id
    two = pgwallet.create_pocket(conn, ada, "two").pocket_id
    pgwallet.create_pocket(conn, bob, "three")
    renamed = pgwallet.rename_pocket(conn, one, "three")
    assert (renamed.pocket_id, renamed.name, renamed.pocket_type) == (one, "three", "savings")
    with refused(conn, "PW002") as said:
        pgwallet.rename_pocket(conn, two, "three")
    assert f"pocket {one}" in (said[0].detail or "")
    # The name it had is free again.
    assert pgwallet.rename_pocket(conn, two, "one").name == "one"
    # With a new name, what was made by the old one is another pocket.
    assert pgwallet.create_pocket(conn, ada, "two").pocket_id not in (one, two)


def test_each_change_is_written_down_once(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "one", 30, "savings", 500).pocket_id
    (made,) = events(conn, "create_pocket")
    assert (made[0], made[1]) == (pocket_id, None)
    assert made[2] == {
        "pocket_id": pocket_id,
        "wallet_id": wallet_id,
        "name": "one",
        "allocation_percentage": 30,
        "pocket_type": "savings",
        "target_amount": 500.00,
        "stop_at_target": False,
        "takes_rest": False,
    }
    for _ in range(2):
        pgwallet.create_pocket(conn, wallet_id, "one", 30, "savings", 500)
    for _ in range(2):
        pgwallet.rename_pocket(conn, pocket_id, "two")
        pgwallet.set_allocation(conn, pocket_id, Decimal("0.000"), True)
        pgwallet.set_target(conn, pocket_id, Decimal("99.5"), True)
    assert events(conn, "create_pocket") == [made]
    assert events(conn, "rename_pocket") == [(pocket_id, {"name": "one"}, {"name": "two"})]
    assert events(conn, "set_allocation") == [
        (
            pocket_id,
            {"allocation_percentage": 30, "takes_rest": False},
            {"allocation_percentage": 0, "takes_rest": True},
        )
    ]
    assert events(conn, "set_target") == [
        (
            pocket_id,
            {"target_amount": 500, "stop_at_target": False},
            {"target_amount": 99.5, "stop_at_target": True},
        )
    ]


@pytest.mark.parametrize("closed", ["wallet", "pocket"])
def test_what_is_closed_is_not_changed(conn: psycopg.Connection, closed: str) -> None:
    wallet_id = funded(conn, "ada", 0)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "one").pocket_id
    closed_id = {"wallet": wallet_id, "pocket": pocket_id}[closed]
    conn.execute("update pgwallet.account set closed_at = now() where account_id = %s", [closed_id])
    conn.execute("update pgwallet.pocket set closed_at = now() where pocket_id = %s", [closed_id])
    change: Any
    for change, argument in (
        *((pgwallet.rename_pocket, "one"), (pgwallet.set_allocation, 10)),
        (pgwallet.set_target, 10),
    ):
        with refused(conn, "PW209") as said:
            change(conn, pocket_id, argument)
        assert f"{closed} {closed_id}" in said[0].message
    if closed == "wallet":
        with refused(conn, "PW209"):
            pgwallet.create_pocket(conn, wallet_id, "one")
    else:
        # Its name is free.
        assert pgwallet.create_pocket(conn, wallet_id, "one").pocket_id != pocket_id


def test_the_account_says_whether_there_are_rules(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "one", 10, None, 50).pocket_id

    def noted() -> Any:
        statement = "select a.has_rules from pgwallet.account as a where a.account_id = %s"
        return value(conn, statement, wallet_id)

    assert not noted()
    pgwallet.set_target(conn, pocket_id, 50, True)
    assert noted()
    pgwallet.set_allocation(conn, pocket_id, 0, True)
    pgwallet.set_target(conn, pocket_id, None)
    assert noted()
    pgwallet.set_allocation(conn, pocket_id, 10)
    assert not noted()
    before = everything(conn)
    pgwallet.set_allocation(conn, pocket_id, 10)
    assert everything(conn) == before
