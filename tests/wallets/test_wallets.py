"""Wallets: one for each owner and currency, and money in and out of it."""

from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import call, funded, refused, value

pytestmark = pytest.mark.sql


def test_an_owner_has_one_wallet_in_each_currency(conn: psycopg.Connection) -> None:
    euros = pgwallet.create_wallet(conn, "ada")
    assert (euros.owner_id, euros.currency, str(euros.balance)) == ("ada", "EUR", "0.00")
    pgwallet.deposit(conn, euros.wallet_id, 5)
    again = pgwallet.create_wallet(conn, "ada", "EUR")
    assert (again.wallet_id, again.balance) == (euros.wallet_id, Decimal(5))
    assert pgwallet.create_wallet(conn, "ada", "JPY").wallet_id != euros.wallet_id
    assert pgwallet.create_wallet(conn, "Ada").wallet_id != euros.wallet_id
    assert pgwallet.create_wallet(conn, " ada").wallet_id != euros.wallet_id


@pytest.mark.parametrize(
    ("currency", "smallest"), [("EUR", "0.01"), ("JPY", "1"), ("KWD", "0.001"), ("CLF", "0.0001")]
)
def test_balances_carry_the_decimals_of_their_currency(
    conn: psycopg.Connection, currency: str, smallest: str
) -> None:
    wallet_id = funded(conn, "ada", 0, currency)
    unit = Decimal(smallest)
    assert str(pgwallet.deposit(conn, wallet_id, unit).balance) == smallest
    assert str(pgwallet.deposit(conn, wallet_id, 1).balance) == str(1 + unit)
    assert str(pgwallet.withdraw(conn, wallet_id, 1).balance) == smallest
    with refused(conn, "PW001"):
        pgwallet.deposit(conn, wallet_id, unit / 10)
    (row,) = call(conn, "deposit", wallet_id, "1.00000000")
    assert str(row["balance"]) == str(1 + unit)
    assert pgwallet.check_ledger(conn) == []


def test_a_wallet_can_be_emptied_and_not_more(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", Decimal("10.01"))
    with refused(conn, "PW201") as said:
        pgwallet.withdraw(conn, wallet_id, Decimal("10.02"))
    assert said[0].detail == "Its balance is 10.01, the amount 10.02."
    assert pgwallet.withdraw(conn, wallet_id, Decimal("10.01")).balance == 0
    with refused(conn, "PW201"):
        pgwallet.withdraw(conn, wallet_id, Decimal("0.01"))


def test_the_largest_amounts_add_up_exactly(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0, "KWD")
    largest = Decimal("999999999999999.999")
    for _ in range(3):
        pgwallet.deposit(conn, wallet_id, largest)
    assert pgwallet.balance(conn, wallet_id) == 3 * largest
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "some", Decimal("33.3333")).pocket_id
    share = pgwallet.allocate_deposit(conn, wallet_id, largest, "largest_remainder").allocated
    assert str(share) == "333332999999999.999"
    assert pgwallet.balance(conn, pocket_id) == share
    assert pgwallet.check_ledger(conn) == []


def test_metadata_and_time_are_recorded_with_the_transaction(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0)
    happened = datetime(2024, 1, 1, tzinfo=UTC)
    transaction_id = pgwallet.deposit(
        conn, wallet_id, 5, metadata={"source": "bank"}, effective_at=happened
    ).transaction_id
    row = conn.execute(
        "select kind::text, metadata, effective_at, idempotency_key, created_at > effective_at "
        "from pgwallet.transaction where transaction_id = %s",
        [transaction_id],
    ).fetchone()
    assert row == ("deposit", {"source": "bank"}, happened, None, True)


def test_a_call_in_a_long_transaction_is_recorded_at_its_own_time(
    conn: psycopg.Connection,
) -> None:
    wallet_id = funded(conn, "ada", 0)
    for _ in range(2):
        pgwallet.deposit(conn, wallet_id, 1)
    distinct = "select count(distinct created_at) = 2 and min(created_at) > now()"
    for table in ("transaction", "posting"):
        assert value(conn, f"{distinct} from pgwallet.{table}")


@pytest.mark.parametrize(
    ("currency", "amount", "balance"),
    [("EUR", "1.5000", "1.50"), ("JPY", "7.0", "7"), ("KWD", "0.0010", "0.001")],
)
def test_trailing_zeros_are_no_decimals(
    conn: psycopg.Connection, currency: str, amount: str, balance: str
) -> None:
    wallet_id = pgwallet.create_wallet(conn, "ada", currency).wallet_id
    assert str(pgwallet.deposit(conn, wallet_id, Decimal(amount)).balance) == balance
