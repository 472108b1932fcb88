"""Pockets: making them, their percentages, and who takes part in an allocation."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import call, everything, funded, refused

pytestmark = pytest.mark.sql


def test_a_new_pocket_is_empty_and_as_it_was_asked_for(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 10)
    pocket = pgwallet.create_pocket(conn, wallet_id, "holiday", Decimal("12.3456"), "savings", 500)
    assert pocket.allocation_percentage == Decimal("12.3456")
    assert (pocket.wallet_id, pocket.name, pocket.pocket_type) == (wallet_id, "holiday", "savings")
    assert (str(pocket.balance), str(pocket.target_amount)) == ("0.00", "500.00")
    assert pgwallet.create_pocket(conn, wallet_id, "plain").allocation_percentage == 0


def test_a_name_is_taken_in_its_wallet_only(conn: psycopg.Connection) -> None:
    ada, bob = funded(conn, "ada", 0), funded(conn, "bob", 0)
    pocket_id = pgwallet.create_pocket(conn, ada, "holiday").pocket_id
    assert pgwallet.create_pocket(conn, bob, "holiday").pocket_id != pocket_id
    with refused(conn, "PW002") as said:
        pgwallet.create_pocket(conn, ada, "holiday", 10)
    assert "holiday" in said[0].message


def test_a_pocket_that_is_there_is_returned_as_it_is_now(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 10)
    first = pgwallet.create_pocket(conn, wallet_id, "holiday", 60, "savings", 500)
    pgwallet.transfer_to_pocket(conn, first.pocket_id, 4)
    before = everything(conn)
    again = pgwallet.create_pocket(
        conn, wallet_id, "holiday", Decimal("60.0000"), "savings", Decimal("500.000")
    )
    assert everything(conn) == before
    assert again == replace(first, balance=Decimal("4.00"), lacking_amount=Decimal("496.00"))

    plain = pgwallet.create_pocket(conn, wallet_id, "plain")
    assert pgwallet.create_pocket(conn, wallet_id, "plain") == plain
    # Not a second time: there are 40 left for another one.
    pgwallet.create_pocket(conn, wallet_id, "rest", 40)


@pytest.mark.parametrize(
    "other",
    [
        {"allocation_percentage": 59},
        {"allocation_percentage": 0},
        {"pocket_type": "rent"},
        {"pocket_type": None},
        {"target_amount": Decimal("500.01")},
        {"target_amount": None},
    ],
)
def test_a_pocket_with_other_arguments_is_refused_and_named(
    conn: psycopg.Connection, other: dict[str, Any]
) -> None:
    wallet_id = funded(conn, "ada", 0)
    arguments: dict[str, Any] = {
        "allocation_percentage": 60,
        "pocket_type": "savings",
        "target_amount": 500,
    }
    pocket = pgwallet.create_pocket(conn, wallet_id, "holiday", **arguments)
    with refused(conn, "PW002") as said:
        pgwallet.create_pocket(conn, wallet_id, "holiday", **(arguments | other))
    assert f"pocket {pocket.pocket_id}" in (said[0].detail or "")


def test_a_pocket_is_compared_with_what_it_is_now(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0)
    pocket = pgwallet.create_pocket(conn, wallet_id, "holiday", 60)
    changed = pgwallet.set_allocation(conn, pocket.pocket_id, 30)
    with refused(conn, "PW002"):
        pgwallet.create_pocket(conn, wallet_id, "holiday", 60)
    assert pgwallet.create_pocket(conn, wallet_id, "holiday", 30) == changed


def test_percentages_can_be_moved_up_to_100(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0)
    one = pgwallet.create_pocket(conn, wallet_id, "one", Decimal("99.9999")).pocket_id
    two = pgwallet.create_pocket(conn, wallet_id, "two", Decimal("0.0001")).pocket_id
    with refused(conn, "PW302") as said:
        pgwallet.set_allocation(conn, two, Decimal("0.0002"))
    assert str(wallet_id) in said[0].message
    assert pgwallet.set_allocation(conn, one, 0).allocation_percentage == 0
    assert pgwallet.set_allocation(conn, two, 100).allocation_percentage == 100
    assert pgwallet.set_allocation(conn, two, 100).allocation_percentage == 100
    with refused(conn, "PW302"):
        pgwallet.set_allocation(conn, one, Decimal("0.0001"))


def test_a_preview_moves_nothing_and_asks_no_balance(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "half", 50).pocket_id
    before = everything(conn)
    preview = pgwallet.preview_allocation(conn, wallet_id, 1000)
    assert [(share.pocket_id, share.amount) for share in preview.shares] == [
        (pocket_id, Decimal(500))
    ]
    assert everything(conn) == before


@pytest.mark.parametrize("rounding", ["half_up", "largest_remainder"])
@pytest.mark.parametrize("key", [None, "payday"])
def test_only_a_wallet_and_its_smallest_unit_are_allocated(
    conn: psycopg.Connection, rounding: str, key: str | None
) -> None:
    wallet_id = funded(conn, "ada", 10)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "half", 50).pocket_id
    for other in (pocket_id, 4711):
        with refused(conn, "PW101"):
            pgwallet.allocate_deposit(conn, other, 1, rounding, key)
    with refused(conn, "PW001"):
        pgwallet.allocate_deposit(conn, wallet_id, Decimal("1.001"), rounding, key)


def test_shares_are_asked_of_the_balance_and_not_the_amount(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 50)
    pgwallet.create_pocket(conn, wallet_id, "half", 50)
    assert pgwallet.allocate_deposit(conn, wallet_id, 100).allocated == 50
    with refused(conn, "PW201"):
        pgwallet.allocate_deposit(conn, wallet_id, 100)


def test_what_is_in_the_pockets_is_no_part_of_the_wallet(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 50)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "all", 100).pocket_id
    pgwallet.transfer_to_pocket(conn, pocket_id, 40)
    with refused(conn, "PW201"):
        pgwallet.withdraw(conn, wallet_id, 11)
    with refused(conn, "PW201"):
        pgwallet.transfer_from_pocket(conn, pocket_id, 41)
    back = pgwallet.transfer_from_pocket(conn, pocket_id, 15)
    assert back.balance == back.wallet_balance == 25
    assert pgwallet.check_ledger(conn) == []


def test_a_transfer_may_take_all_there_is(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 50)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "all", 100).pocket_id
    there = pgwallet.transfer_to_pocket(conn, pocket_id, 50)
    assert (there.balance, there.wallet_balance) == (Decimal(50), Decimal(0))
    back = pgwallet.transfer_from_pocket(conn, pocket_id, 50)
    assert (back.balance, back.wallet_balance) == (Decimal(0), Decimal(50))
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("rounding", ["half_up", "largest_remainder"])
def test_of_200_pockets_100_take_part_and_a_warning_says_so(
    conn: psycopg.Connection, rounding: str
) -> None:
    warnings: list[tuple[str | None, str | None]] = []
    conn.add_notice_handler(
        lambda notice: warnings.append((notice.severity_nonlocalized, notice.message_primary))
    )
    wallet_id = funded(conn, "ada", 300)
    pockets = [
        # The later half receives more, so that it is not the first 100 ids that take part.
        pgwallet.create_pocket(
            conn, wallet_id, f"{n}", Decimal("0.3") if n < 100 else Decimal("0.7")
        ).pocket_id
        for n in range(200)
    ]
    assert warnings == []
    shares = call(conn, "allocate_deposit", wallet_id, 100, rounding)
    assert [share["pocket_id"] for share in shares] == pockets[100:]
    assert {str(share["amount"]) for share in shares} == {"0.70"}
    assert pgwallet.balance(conn, wallet_id) == 230
    ((severity, message),) = warnings
    assert severity == "WARNING"
    assert message is not None
    assert message.startswith("100 ")

    warnings.clear()
    conn.execute("update pgwallet.settings set max_pockets_per_allocation = 200")
    assert len(call(conn, "allocate_deposit", wallet_id, 100, rounding)) == 200
    assert warnings == []
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("rounding", ["half_up", "largest_remainder"])
def test_a_repeated_allocation_returns_its_shares_in_the_same_order(
    conn: psycopg.Connection, rounding: str
) -> None:
    wallet_id = funded(conn, "ada", 100)
    for name, percentage in (("small", 10), ("large", 60), ("middle", 30)):
        pgwallet.create_pocket(conn, wallet_id, name, percentage)
    first, again = (
        pgwallet.allocate_deposit(conn, wallet_id, 100, rounding, "split") for _ in range(2)
    )
    assert [share.name for share in first.shares] == ["large", "middle", "small"]
    assert again == replace(first, replayed=True)


def test_equal_percentages_come_by_id(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 10)
    percentages = [10, 30, 10, 30, 20]
    ids = [
        pgwallet.create_pocket(conn, wallet_id, f"{place}", percentage).pocket_id
        for place, percentage in enumerate(percentages)
    ]
    shares = pgwallet.allocate_deposit(conn, wallet_id, 10).shares
    assert [ids.index(share.pocket_id) for share in shares] == [1, 3, 4, 0, 2]


def test_a_share_of_a_long_amount_is_rounded_once(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0)
    pgwallet.create_pocket(conn, wallet_id, "a third", Decimal("33.3333"))
    # A third of it is 299999700001666.67499999, which six decimals would turn into .675.
    preview = pgwallet.preview_allocation(conn, wallet_id, Decimal("900000000005000.03"))
    assert [share.amount for share in preview.shares] == [Decimal("299999700001666.67")]
