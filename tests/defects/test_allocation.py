"""What the replaced code did wrong when it split deposits: d01 to d03 of README.md."""

from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import funded, refused

pytestmark = pytest.mark.sql


def pockets(conn: psycopg.Connection, wallet_id: int, *percentages: int) -> list[int]:
    return [
        pgwallet.create_pocket(conn, wallet_id, f"{place}", percentage).pocket_id
        for place, percentage in enumerate(percentages)
    ]


@pytest.mark.parametrize("rounding", ["half_up", "largest_remainder"])
def test_d01_a_cent_over_two_halves_moves_one_cent(conn: psycopg.Connection, rounding: str) -> None:
    wallet_id = funded(conn, "ada", Decimal("0.01"))
    first, second = pockets(conn, wallet_id, 50, 50)
    allocation = pgwallet.allocate_deposit(conn, wallet_id, Decimal("0.01"), rounding)
    assert allocation.allocated == Decimal("0.01")
    assert pgwallet.balance(conn, first) == Decimal("0.01")
    assert pgwallet.balance(conn, second) == pgwallet.balance(conn, wallet_id) == 0


def test_d01_pockets_never_take_more_than_the_whole(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 100)
    (pocket_id,) = pockets(conn, wallet_id, 70)
    with refused(conn, "PW302"):
        pgwallet.create_pocket(conn, wallet_id, "another", 70)
    other = pgwallet.create_pocket(conn, wallet_id, "other", 30).pocket_id
    with refused(conn, "PW302"):
        pgwallet.set_allocation(conn, other, 70)
    pgwallet.allocate_deposit(conn, wallet_id, 100)
    assert pgwallet.balance(conn, pocket_id) == 70
    assert pgwallet.balance(conn, wallet_id) == 0


def test_d01_shares_are_compared_with_the_balance_as_it_is_now(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 100)
    pockets(conn, wallet_id, 70, 30)
    pgwallet.withdraw(conn, wallet_id, 40)
    with refused(conn, "PW201") as said:
        pgwallet.allocate_deposit(conn, wallet_id, 100)
    assert said[0].detail == "Its balance is 60.00, the amount 100.00."


@pytest.mark.parametrize("rounding", ["half_up", "largest_remainder"])
@pytest.mark.parametrize("cents", range(1, 40))
def test_d02_rounding_never_moves_more_than_the_deposit(
    conn: psycopg.Connection, cents: int, rounding: str
) -> None:
    amount = Decimal(cents) / 100
    wallet_id = funded(conn, "ada", 10)
    pockets(conn, wallet_id, 25, 25, 25, 25)
    allocation = pgwallet.allocate_deposit(conn, wallet_id, amount, rounding)
    assert allocation.allocated == sum(share.amount for share in allocation.shares)
    assert 0 <= allocation.remaining <= Decimal("0.02")
    if rounding == "largest_remainder":
        assert allocation.remaining == 0
    assert pgwallet.balance(conn, wallet_id) == 10 - allocation.allocated
    assert pgwallet.check_ledger(conn) == []


def test_d03_the_largest_percentage_comes_first_although_locks_go_by_id(
    conn: psycopg.Connection,
) -> None:
    wallet_id = funded(conn, "ada", 1)
    small, also_small, large = pockets(conn, wallet_id, 25, 25, 50)
    expected = [(large, Decimal("0.02")), (small, Decimal("0.01"))]
    shares = pgwallet.allocate_deposit(conn, wallet_id, Decimal("0.03")).shares
    assert [(share.pocket_id, share.amount) for share in shares] == expected
    rows = pgwallet.allocate_deposits(conn, [wallet_id], [Decimal("0.03")])
    assert [(row.pocket_id, row.amount) for row in rows] == expected
    assert pgwallet.balance(conn, also_small) == 0
