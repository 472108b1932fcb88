"""What the platform earned leaves, never more than is there."""

from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import funded, project, refused, value

pytestmark = pytest.mark.sql

ACCOUNTS = ("commission", "fee")


def account_id(conn: psycopg.Connection, account: str, currency: str = "EUR") -> int:
    read = f"select {account}_account_id from pgwallet.currency where currency = %s"
    found: int = value(conn, read, currency)
    return found


def earned(conn: psycopg.Connection, amount: int = 100, name: str = "film") -> int:
    """An escrow of which the platform earned a tenth as commission and a fifth as fee."""
    wallet_id = funded(conn, f"backer of {name}", amount)
    rates = {"commission_rate": Decimal("0.1"), "fee_rate": Decimal("0.2")}
    pledge = pgwallet.pledge(conn, wallet_id, project(conn, name, **rates), amount)
    pgwallet.release_escrow(conn, pledge.escrow_id)
    return pledge.escrow_id


@pytest.mark.parametrize(("account", "there"), [("commission", 10), ("fee", 20)])
def test_earnings_leave_to_the_last_unit(
    conn: psycopg.Connection, account: str, there: int
) -> None:
    earned(conn)
    first = pgwallet.collect_earnings(conn, "EUR", account, Decimal("4.99"))
    assert (first.currency, first.balance) == ("EUR", Decimal(there) - Decimal("4.99"))
    with refused(conn, "PW201") as said:
        pgwallet.collect_earnings(conn, "EUR", account, first.balance + Decimal("0.01"))
    assert f"Its balance is {first.balance}" in str(said[0].detail)
    rest = pgwallet.collect_earnings(conn, "EUR", account, first.balance)
    assert str(rest.balance) == "0.00"
    with refused(conn, "PW201"):
        pgwallet.collect_earnings(conn, "EUR", account, Decimal("0.01"))
    assert pgwallet.balance(conn, account_id(conn, account)) == 0
    assert pgwallet.check_ledger(conn) == []


def test_each_account_of_each_currency_is_apart(conn: psycopg.Connection) -> None:
    earned(conn)
    for currency, account in (("USD", "commission"), ("JPY", "fee")):
        with refused(conn, "PW201"):
            pgwallet.collect_earnings(conn, currency, account, 1)
    pgwallet.collect_earnings(conn, "EUR", "commission", 10)
    assert pgwallet.balance(conn, account_id(conn, "fee")) == 20


def test_what_was_collected_is_outside(conn: psycopg.Connection) -> None:
    earned(conn)
    outside = account_id(conn, "external")
    before = pgwallet.balance(conn, outside)
    pgwallet.collect_earnings(conn, "EUR", "fee", 7)
    assert pgwallet.balance(conn, outside) == before + 7


def test_a_key_returns_what_was_left_then(conn: psycopg.Connection) -> None:
    earned(conn)
    first = pgwallet.collect_earnings(conn, "EUR", "commission", 4, "may")
    pgwallet.collect_earnings(conn, "EUR", "commission", 1)
    again = pgwallet.collect_earnings(conn, "EUR", "commission", Decimal("4.00"), "may")
    assert again.replayed
    assert (again.balance, again.transaction_id) == (first.balance, first.transaction_id)
    for other in (("EUR", "fee", 4), ("USD", "commission", 4), ("EUR", "commission", 5)):
        with refused(conn, "PW203"):
            pgwallet.collect_earnings(conn, *other, "may")


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_statement_shows_what_came_and_what_was_collected(
    conn: psycopg.Connection, newest_first: bool
) -> None:
    earned(conn)
    pgwallet.collect_earnings(conn, "EUR", "commission", 4)
    earned(conn, 10, "play")
    rows = pgwallet.statement(conn, account_id(conn, "commission"), newest_first=newest_first)
    told = [(row.kind, int(row.amount)) for row in rows]
    assert told[:: -1 if newest_first else 1] == [
        ("release", 10),
        ("collection", -4),
        ("release", 1),
    ]


def test_the_platform_s_summary_shows_what_was_collected(conn: psycopg.Connection) -> None:
    earned(conn)
    for account in ACCOUNTS:
        pgwallet.collect_earnings(conn, "EUR", account, 3)
    row = conn.execute(
        "select collection_count, collected_amount, commission_amount, fee_amount "
        "from pgwallet.platform_summary where currency = 'EUR'"
    ).fetchone()
    assert row == (2, 6, 10, 20)


def test_a_refund_of_a_release_may_leave_the_platform_owing(conn: psycopg.Connection) -> None:
    """It gives back what it took, though that has left; what comes next makes up for it."""
    escrow_id = earned(conn)
    pgwallet.collect_earnings(conn, "EUR", "commission", 10)
    pgwallet.refund_release(conn, escrow_id, 50)
    assert pgwallet.balance(conn, account_id(conn, "commission")) == -5
    assert pgwallet.balance(conn, account_id(conn, "fee")) == 10
    with refused(conn, "PW201"):
        pgwallet.collect_earnings(conn, "EUR", "commission", Decimal("0.01"))
    assert pgwallet.collect_earnings(conn, "EUR", "fee", 10).balance == 0
    earned(conn, 70, "play")
    assert pgwallet.collect_earnings(conn, "EUR", "commission", 2).balance == 0
    assert pgwallet.check_ledger(conn) == []
