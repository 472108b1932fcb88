"""Transfers: between two wallets of one currency, or two pockets of one wallet, no others."""

from dataclasses import dataclass
from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import call, funded, project, refused

pytestmark = pytest.mark.sql


@dataclass(frozen=True, slots=True)
class People:
    """Ada has 100 and two pockets with 20 and 0; Bob has 10 and a pocket."""

    ada: int
    bob: int
    holiday: int
    rent: int
    of_bob: int


@pytest.fixture
def people(conn: psycopg.Connection) -> People:
    ada, bob = funded(conn, "ada", 120), funded(conn, "bob", 10)
    holiday, rent = (
        pgwallet.create_pocket(conn, ada, name).pocket_id for name in ("holiday", "rent")
    )
    of_bob = pgwallet.create_pocket(conn, bob, "holiday").pocket_id
    pgwallet.transfer_to_pocket(conn, holiday, 20)
    return People(ada, bob, holiday, rent, of_bob)


def mark(conn: psycopg.Connection, account_id: int, what: str, value: object) -> None:
    """As an operator's function would, for a test that is not about that function."""
    conn.execute(
        f"update pgwallet.account set {what} = %s where account_id = %s".encode(),
        [value, account_id],
    )


def test_a_transfer_between_wallets_is_one_posting_with_both_balances(
    conn: psycopg.Connection, people: People
) -> None:
    done = pgwallet.transfer(
        conn, people.ada, people.bob, Decimal("12.5"), "lunch", {"for": "soup"}
    )
    assert (str(done.from_balance), str(done.to_balance)) == ("87.50", "22.50")
    for account_id, other, amount in (
        (people.ada, people.bob, "-12.50"),
        (people.bob, people.ada, "12.50"),
    ):
        (row,) = pgwallet.statement(conn, account_id, newest_first=True, limit=1)
        assert (row.kind, str(row.amount), row.counterpart_id) == ("transfer", amount, other)
        assert (row.transaction_id, row.metadata) == (done.transaction_id, {"for": "soup"})
    assert pgwallet.check_ledger(conn) == []


def test_a_transfer_between_pockets_leaves_their_wallet_as_it_is(
    conn: psycopg.Connection, people: People
) -> None:
    done = pgwallet.transfer(conn, people.holiday, people.rent, 15)
    assert (str(done.from_balance), str(done.to_balance)) == ("5.00", "15.00")
    assert pgwallet.balance(conn, people.ada) == 100
    assert pgwallet.check_ledger(conn) == []


def test_a_wallet_and_a_pocket_can_be_emptied_and_not_more(
    conn: psycopg.Connection, people: People
) -> None:
    for source, target, there in (
        (people.ada, people.bob, 100),
        (people.holiday, people.rent, 20),
    ):
        with refused(conn, "PW201") as said:
            pgwallet.transfer(conn, source, target, there + Decimal("0.01"))
        assert said[0].detail == f"Its balance is {there}.00, the amount {there}.01."
        assert pgwallet.transfer(conn, source, target, there).from_balance == 0


def test_other_pairs_of_accounts_are_refused(conn: psycopg.Connection, people: People) -> None:
    for source, target in (
        (people.ada, people.ada),
        (people.rent, people.rent),
        (people.ada, people.holiday),
        (people.holiday, people.ada),
        (people.ada, people.of_bob),
        (people.holiday, people.of_bob),
    ):
        with refused(conn, "PW002"):
            pgwallet.transfer(conn, source, target, 1)
    yen = funded(conn, "ada", 1000, "JPY")
    for source, target in ((people.ada, yen), (yen, people.ada)):
        with refused(conn, "PW003"):
            pgwallet.transfer(conn, source, target, 1)


def test_neither_end_may_be_a_project_or_the_platform(
    conn: psycopg.Connection, people: People
) -> None:
    outside = conn.execute(
        "select external_account_id, fee_account_id from pgwallet.currency where currency = 'EUR'"
    ).fetchone()
    assert outside
    for other in (project(conn), *outside, -1, None):
        for ends in ((people.ada, other), (other, people.ada), (other, people.holiday)):
            with refused(conn, "PW105"):
                call(conn, "transfer", *ends, 1)
    # Of two that are wrong the first is named.
    with refused(conn, "PW105") as said:
        pgwallet.transfer(conn, -1, -2, 1)
    assert "-1" in said[0].message


def test_the_decimals_are_those_of_the_account_that_pays(
    conn: psycopg.Connection, people: People
) -> None:
    yen, kwd = funded(conn, "ada", 1000, "JPY"), funded(conn, "ada", 1000, "KWD")
    for source, target, amount in (
        (people.ada, people.bob, "0.001"),
        (yen, kwd, "0.001"),
        (people.holiday, people.rent, "0.001"),
    ):
        with refused(conn, "PW001"):
            pgwallet.transfer(conn, source, target, Decimal(amount))
    with refused(conn, "PW003"):
        pgwallet.transfer(conn, kwd, yen, Decimal("0.001"))


def test_credit_counts_for_a_wallet_that_pays(conn: psycopg.Connection, people: People) -> None:
    mark(conn, people.ada, "credit_limit", 30)
    with refused(conn, "PW201") as said:
        pgwallet.transfer(conn, people.ada, people.bob, Decimal("130.01"))
    assert said[0].detail == "Its balance is 100.00, its credit 30, the amount 130.01."
    assert pgwallet.transfer(conn, people.ada, people.bob, 130).from_balance == -30
    # It is the wallet's, not that of its pockets.
    with refused(conn, "PW201"):
        pgwallet.transfer(conn, people.holiday, people.rent, 21)


def test_nothing_leaves_a_frozen_wallet_but_it_receives_and_moves_within(
    conn: psycopg.Connection, people: People
) -> None:
    mark(conn, people.ada, "frozen_at", "2026-01-01 00:00:00+00")
    with refused(conn, "PW208"):
        pgwallet.transfer(conn, people.ada, people.bob, 1)
    assert pgwallet.transfer(conn, people.bob, people.ada, 1).to_balance == 101
    assert pgwallet.transfer(conn, people.holiday, people.rent, 1).to_balance == 1


def test_a_closed_account_neither_pays_nor_receives(
    conn: psycopg.Connection, people: People
) -> None:
    for closed, other in ((people.ada, people.bob), (people.holiday, people.rent)):
        mark(conn, closed, "closed_at", "2026-01-01 00:00:00+00")
        for ends in ((closed, other), (other, closed)):
            with refused(conn, "PW209") as said:
                pgwallet.transfer(conn, *ends, 1, "once")
            assert str(closed) in said[0].message
        # Closed is told before frozen, and that before want of money.
        mark(conn, closed, "frozen_at", "2026-01-01 00:00:00+00")
        with refused(conn, "PW209"):
            pgwallet.transfer(conn, closed, other, 1000, "once")
    frozen = funded(conn, "frozen", 1)
    mark(conn, frozen, "frozen_at", "2026-01-01 00:00:00+00")
    with refused(conn, "PW208"):
        pgwallet.transfer(conn, frozen, people.bob, 1000, "once")
