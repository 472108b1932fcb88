"""Charge-backs: what was released goes back to the wallet, from project, commission and fee."""

from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import funded, project, refused, value

pytestmark = pytest.mark.sql


@pytest.fixture
def escrow_id(conn: psycopg.Connection) -> int:
    """100 of the 100 of a wallet, released: commission 5.00, fee 2.90 and 0.30, net 91.80."""
    wallet_id, film = funded(conn, "ada", 100), project(conn, fee_fixed=Decimal("0.30"))
    escrow_id = pgwallet.pledge(conn, wallet_id, film, 100).escrow_id
    pgwallet.release_escrow(conn, escrow_id)
    return escrow_id


def given(refund: pgwallet.ReleaseRefund) -> tuple[str, ...]:
    parts = (refund.refunded_amount, refund.commission_amount, refund.fee_amount)
    return tuple(map(str, (*parts, refund.net_amount, refund.balance)))


def taken(conn: psycopg.Connection, escrow_id: int) -> tuple[str, ...]:
    escrow = pgwallet.get_escrow(conn, escrow_id)
    amounts = (escrow.released_amount, escrow.refunded_amount)
    parts = (escrow.commission_amount, escrow.fee_amount, escrow.net_amount)
    return (escrow.status, *map(str, (*amounts, *parts)))


def platform(conn: psycopg.Connection) -> tuple[str, str]:
    """What the commission and the fee account hold."""
    row = conn.execute(
        "select pgwallet.balance(commission_account_id), pgwallet.balance(fee_account_id) "
        "from pgwallet.currency where currency = 'EUR'"
    ).fetchone()
    assert row is not None
    return str(row[0]), str(row[1])


def test_each_gives_back_what_it_took(conn: psycopg.Connection, escrow_id: int) -> None:
    refund = pgwallet.refund_release(conn, escrow_id)
    assert given(refund) == ("100.00", "5.00", "3.20", "91.80", "100.00")
    assert taken(conn, escrow_id) == ("refunded", "0.00", "100.00", "0.00", "0.00", "0.00")
    assert platform(conn) == ("0.00", "0.00")
    assert pgwallet.balance(conn, refund.project_id) == 0
    rows = pgwallet.statement(conn, refund.wallet_id, newest_first=True, limit=3)
    assert [(str(row.amount), str(row.balance)) for row in reversed(rows)] == [
        ("91.80", "91.80"),
        ("5.00", "96.80"),
        ("3.20", "100.00"),
    ]
    assert {(row.kind, row.escrow_id) for row in rows} == {("release_refund", escrow_id)}
    assert pgwallet.check_ledger(conn) == []


def test_in_parts_what_is_left_is_what_one_release_of_it_would_have_taken(
    conn: psycopg.Connection, escrow_id: int
) -> None:
    """The fixed part of the fee stays until nothing is released any more."""
    assert given(pgwallet.refund_release(conn, escrow_id, 40))[:4] == (
        *("40.00", "2.00", "1.16"),
        "36.84",
    )
    assert taken(conn, escrow_id) == ("settled", "60.00", "40.00", "3.00", "2.04", "54.96")
    assert given(pgwallet.refund_release(conn, escrow_id, Decimal("59.99")))[:4] == (
        *("59.99", "3.00", "2.03"),
        "54.96",
    )
    assert taken(conn, escrow_id) == ("settled", "0.01", "99.99", "0.00", "0.01", "0.00")
    last = pgwallet.refund_release(conn, escrow_id)
    assert last.status == "refunded"
    assert taken(conn, escrow_id)[1:] == ("0.00", "100.00", "0.00", "0.00", "0.00")
    assert platform(conn) == ("0.00", "0.00")
    assert pgwallet.check_ledger(conn) == []


def test_with_kept_fees_the_project_gives_all(conn: psycopg.Connection, escrow_id: int) -> None:
    with refused(conn, "PW201") as said:
        pgwallet.refund_release(conn, escrow_id, Decimal("91.81"), keep_fees=True)
    assert "91.80" in (said[0].detail or "")
    refund = pgwallet.refund_release(conn, escrow_id, Decimal("91.80"), keep_fees=True)
    assert given(refund) == ("91.80", "0.00", "0.00", "91.80", "91.80")
    assert taken(conn, escrow_id) == ("settled", "8.20", "91.80", "5.00", "3.20", "0.00")
    assert platform(conn) == ("5.00", "3.20")
    assert pgwallet.check_ledger(conn) == []


def test_fees_that_were_kept_are_not_taken_again(conn: psycopg.Connection) -> None:
    """What is released next pays no less than nothing either."""
    wallet_id, film = funded(conn, "ada", 100), project(conn, fee_fixed=Decimal("0.30"))
    escrow_id = pgwallet.pledge(conn, wallet_id, film, 100).escrow_id
    pgwallet.release_escrow(conn, escrow_id, 60)
    pgwallet.refund_release(conn, escrow_id, 50, keep_fees=True)
    assert taken(conn, escrow_id) == ("locked", "10.00", "50.00", "3.00", "2.04", "4.96")
    release = pgwallet.release_escrow(conn, escrow_id)
    parts = (release.commission_amount, release.fee_amount, release.net_amount)
    assert tuple(map(str, parts)) == ("0.00", "0.00", "40.00")
    assert pgwallet.check_ledger(conn) == []


def test_on_credit_the_net_goes_below_zero(conn: psycopg.Connection, escrow_id: int) -> None:
    project_id = pgwallet.get_escrow(conn, escrow_id).project_id
    conn.execute(
        "update pgwallet.account set credit_limit = 8.2 where account_id = %s", [project_id]
    )
    refund = pgwallet.refund_release(conn, escrow_id, keep_fees=True)
    assert given(refund) == ("100.00", "0.00", "0.00", "100.00", "100.00")
    assert taken(conn, escrow_id) == ("refunded", "0.00", "100.00", "5.00", "3.20", "-8.20")
    assert pgwallet.balance(conn, project_id) == Decimal("-8.20")


def test_what_was_paid_out_cannot_go_back(conn: psycopg.Connection, escrow_id: int) -> None:
    project_id = pgwallet.get_escrow(conn, escrow_id).project_id
    pgwallet.payout(conn, project_id, 50)
    with refused(conn, "PW201"):
        pgwallet.refund_release(conn, escrow_id)
    refund = pgwallet.refund_release(conn, escrow_id, 45)
    assert pgwallet.balance(conn, project_id) == Decimal("41.80") - refund.net_amount


def test_never_more_than_was_released(conn: psycopg.Connection, escrow_id: int) -> None:
    wallet_id = funded(conn, "bob", 20)
    other = pgwallet.pledge(conn, wallet_id, project(conn, "play"), 20).escrow_id
    for amount in (None, 1):
        with refused(conn, "PW206"):
            pgwallet.refund_release(conn, other, amount)
    pgwallet.release_escrow(conn, other, 5)
    with refused(conn, "PW206"):
        pgwallet.refund_release(conn, other, Decimal("5.01"))
    # What is left is still locked, and its own release takes what is due for all.
    assert pgwallet.refund_release(conn, other).status == "locked"
    assert pgwallet.release_escrow(conn, other).released_amount == 15
    with refused(conn, "PW206"):
        pgwallet.refund_release(conn, other, Decimal("15.01"))
    assert pgwallet.check_ledger(conn) == []


def test_what_a_batch_released_goes_back_too(conn: psycopg.Connection) -> None:
    wallet_id, film = funded(conn, "ada", 100), project(conn)
    rows = pgwallet.pledge_many(conn, film, [wallet_id] * 3, [20, 30, 50])
    pgwallet.close_project(conn, film, "succeeded")
    pgwallet.release_escrows(conn, film)
    refund = pgwallet.refund_release(conn, rows[1].escrow_id)
    assert given(refund) == ("30.00", "1.50", "0.87", "27.63", "30.00")
    assert pgwallet.check_ledger(conn) == []


def test_neither_a_frozen_project_nor_a_closed_wallet_keeps_it(
    conn: psycopg.Connection, escrow_id: int
) -> None:
    escrow = pgwallet.get_escrow(conn, escrow_id)
    conn.execute(
        "update pgwallet.account set frozen_at = now() where account_id = any (%s)",
        [[escrow.project_id, escrow.wallet_id]],
    )
    conn.execute(
        "update pgwallet.account set closed_at = now() where account_id = %s", [escrow.wallet_id]
    )
    assert pgwallet.refund_release(conn, escrow_id, 10).refunded_amount == 10
    pgwallet.close_project(conn, escrow.project_id, "failed")
    assert pgwallet.refund_release(conn, escrow_id, 10).refunded_amount == 10


def test_to_keep_the_fees_is_another_call(conn: psycopg.Connection, escrow_id: int) -> None:
    first = pgwallet.refund_release(conn, escrow_id, 10, idempotency_key="once")
    again = pgwallet.refund_release(conn, escrow_id, Decimal("10.000"), False, "once")
    assert given(again) == given(first)
    assert (again.transaction_id, again.replayed) == (first.transaction_id, True)
    with refused(conn, "PW203"):
        pgwallet.refund_release(conn, escrow_id, 10, True, "once")


def test_the_platform_s_own_account_shows_what_it_gave_back(
    conn: psycopg.Connection, escrow_id: int
) -> None:
    """In a statement, in the balance at a time, and in what the platform earned."""
    pgwallet.refund_release(conn, escrow_id, 40)
    commission = value(
        conn, "select commission_account_id from pgwallet.currency where currency = 'EUR'"
    )
    for newest_first in (False, True):
        rows = pgwallet.statement(conn, commission, newest_first=newest_first)
        amounts = [str(row.amount) for row in rows]
        assert amounts == (["-2.00", "5.00"] if newest_first else ["5.00", "-2.00"])
    assert pgwallet.balance(conn, commission) == 3
    now = value(conn, "select clock_timestamp()")
    assert pgwallet.balance_at(conn, commission, now) == 3
    row = conn.execute(
        "select pledged_amount, released_amount, refunded_amount, commission_amount, fee_amount, "
        "net_amount, paid_out_amount, payout_count, refund_count from pgwallet.platform_summary"
    ).fetchone()
    assert row is not None
    assert [str(each) for each in row] == [
        *("100.00", "60.00", "40.00", "3.00", "2.04", "54.96", "0.00"),
        *("0", "0"),
    ]
    paid_out = value(conn, "select paid_out_amount from pgwallet.project_summary")
    assert str(paid_out) == "0.00"
