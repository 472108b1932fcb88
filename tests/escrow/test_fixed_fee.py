"""A fee that each escrow pays once, beside the one by rate."""

from decimal import Decimal

import psycopg
import pytest
from psycopg import errors

import pgwallet
from tests.ledger.calling import funded, project, refused, value

pytestmark = pytest.mark.sql

Taken = tuple[str, str, str]


def taken(result: pgwallet.Release | pgwallet.ReleaseBatch) -> Taken:
    return str(result.commission_amount), str(result.fee_amount), str(result.net_amount)


def pledged(
    conn: psycopg.Connection, amount: str, fee_fixed: str, currency: str = "EUR"
) -> tuple[int, int]:
    """A project that takes a tenth, another tenth and the fixed fee, and an escrow of it."""
    tenth = Decimal("0.1")
    project_id = project(
        conn,
        f"{amount} {fee_fixed} {currency}",
        currency=currency,
        commission_rate=tenth,
        fee_rate=tenth,
        fee_fixed=Decimal(fee_fixed),
    )
    wallet_id = funded(conn, "ada", Decimal(amount), currency)
    return project_id, pgwallet.pledge(conn, wallet_id, project_id, Decimal(amount)).escrow_id


@pytest.mark.parametrize(
    ("amount", "fee_fixed", "currency", "expected"),
    [
        ("10", "0.30", "EUR", ("1.00", "1.30", "7.70")),
        ("10", "0", "EUR", ("1.00", "1.00", "8.00")),
        ("10", "8", "EUR", ("1.00", "9.00", "0.00")),
        ("10", "8.01", "EUR", ("1.00", "9.00", "0.00")),
        ("10", "500", "EUR", ("1.00", "9.00", "0.00")),
        ("0.01", "0.30", "EUR", ("0.00", "0.01", "0.00")),
        ("1000", "30", "JPY", ("100", "130", "770")),
        ("10", "0.305", "KWD", ("1.000", "1.305", "7.695")),
    ],
)
def test_a_release_takes_the_fixed_fee_once_and_never_more_than_there_is(
    conn: psycopg.Connection, amount: str, fee_fixed: str, currency: str, expected: Taken
) -> None:
    project_id, escrow_id = pledged(conn, amount, fee_fixed, currency)
    wallet_id = funded(conn, "bob", Decimal(amount), currency)
    pgwallet.pledge(conn, wallet_id, project_id, Decimal(amount))
    assert taken(pgwallet.release_escrow(conn, escrow_id)) == expected
    pgwallet.close_project(conn, project_id, "succeeded")
    assert taken(pgwallet.release_escrows(conn, project_id)) == expected
    assert pgwallet.check_ledger(conn) == []


def test_each_escrow_of_a_batch_pays_it(conn: psycopg.Connection) -> None:
    project_id, _ = pledged(conn, "10", "0.30")
    wallet_id = funded(conn, "bob", 50)
    pgwallet.pledge_many(conn, project_id, [wallet_id] * 2, [20, 30])
    pgwallet.close_project(conn, project_id, "succeeded")
    assert taken(pgwallet.release_escrows(conn, project_id)) == ("6.00", "6.90", "47.10")


def test_the_first_parts_pay_it_as_far_as_they_can(conn: psycopg.Connection) -> None:
    project_id, escrow_id = pledged(conn, "10", "0.30")
    parts = [pgwallet.release_escrow(conn, escrow_id, Decimal(part)) for part in ("0.20", "1")]
    assert [taken(part) for part in parts] == [("0.02", "0.18", "0.00"), ("0.10", "0.24", "0.66")]
    pgwallet.close_project(conn, project_id, "succeeded")
    assert taken(pgwallet.release_escrows(conn, project_id)) == ("0.88", "0.88", "7.04")
    assert pgwallet.check_ledger(conn) == []


def test_a_batch_takes_what_a_milestone_still_owes(conn: psycopg.Connection) -> None:
    project_id, escrow_id = pledged(conn, "10", "0.30")
    pgwallet.release_escrow(conn, escrow_id, Decimal("0.20"))
    pgwallet.close_project(conn, project_id, "succeeded")
    assert taken(pgwallet.release_escrows(conn, project_id)) == ("0.98", "1.12", "7.70")
    assert pgwallet.check_ledger(conn) == []


def test_what_is_refunded_pays_none_of_it(conn: psycopg.Connection) -> None:
    _, escrow_id = pledged(conn, "10", "0.30")
    assert pgwallet.refund_escrow(conn, escrow_id).refunded_amount == 10
    assert value(conn, "select fee_amount from pgwallet.escrow") == 0


def test_it_comes_from_the_settings_in_the_decimals_of_the_currency(
    conn: psycopg.Connection,
) -> None:
    old = pgwallet.create_project(conn, "old")
    assert str(old.fee_fixed) == "0.00"
    conn.execute("update pgwallet.settings set fee_fixed = 1.305")
    fees = {
        currency: str(pgwallet.create_project(conn, currency, currency).fee_fixed)
        for currency in ("EUR", "JPY", "KWD")
    }
    assert fees == {"EUR": "1.30", "JPY": "1", "KWD": "1.305"}
    assert pgwallet.create_project(conn, "old") == old
    assert pgwallet.close_project(conn, old.project_id, "failed").fee_fixed == 0
    assert pgwallet.create_project(conn, "free", fee_fixed=0).fee_fixed == 0
    for wrong in ("-0.01", "NaN", "Infinity", "1e15"):
        with pytest.raises(errors.CheckViolation), conn.transaction():
            conn.execute("update pgwallet.settings set fee_fixed = %s", [wrong])


@pytest.mark.parametrize("fee_fixed", ["-0.01", "NaN", "Infinity", "1e15", "0.001"])
def test_what_is_no_fee_is_refused(conn: psycopg.Connection, fee_fixed: str) -> None:
    with refused(conn, "PW001"):
        pgwallet.create_project(conn, "film", fee_fixed=Decimal(fee_fixed))


def test_the_same_project_has_the_same_fixed_fee(conn: psycopg.Connection) -> None:
    first = pgwallet.create_project(conn, "film", fee_fixed=Decimal("0.30"))
    assert pgwallet.create_project(conn, "film", fee_fixed=Decimal("0.3")) == first
    for other in (None, Decimal("0.31")):
        with refused(conn, "PW002"):
            pgwallet.create_project(conn, "film", fee_fixed=other)


def test_the_summary_of_a_project_has_it(conn: psycopg.Connection) -> None:
    project_id, _ = pledged(conn, "10", "0.30")
    summary = "select fee_fixed::text from pgwallet.project_summary where project_id = %s"
    assert value(conn, summary, project_id) == "0.30"
