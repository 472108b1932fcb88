"""An allocation in which no pocket receives money is a call like any other, and says so."""

from decimal import Decimal
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import call, everything, funded, refused

pytestmark = pytest.mark.sql

ZEROS = {"EUR": "0.00", "JPY": "0", "KWD": "0.000"}
ROUNDINGS = ["half_up", "largest_remainder"]


def without_a_share(conn: psycopg.Connection, pockets: str, currency: str) -> int:
    """A wallet of 10, or of 5 less than nothing, that keeps whatever is allocated."""
    wallet_id = funded(conn, "ada", 10, currency)
    if pockets == "a tiny share":
        pgwallet.create_pocket(conn, wallet_id, "tiny", Decimal("0.0001"))
    elif pockets == "without a percentage":
        pgwallet.create_pocket(conn, wallet_id, "plain")
    elif pockets == "a full one":
        full = pgwallet.create_pocket(conn, wallet_id, "full", 100, None, 1, True).pocket_id
        pgwallet.transfer_to_pocket(conn, full, 1)
    elif pockets == "none of one that owes":
        pgwallet.set_credit_limit(conn, wallet_id, 5)
        pgwallet.withdraw(conn, wallet_id, 15)
    return wallet_id


@pytest.mark.parametrize("currency", ZEROS)
@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize(
    "pockets",
    ["none", "without a percentage", "a tiny share", "a full one", "none of one that owes"],
)
def test_one_row_tells_the_transaction_and_an_amount_of_zero(
    conn: psycopg.Connection, pockets: str, rounding: str, currency: str
) -> None:
    wallet_id = without_a_share(conn, pockets, currency)
    nobody = {"pocket_id": None, "name": None, "allocation_percentage": None, "balance": None}

    def row_of(name: str, *arguments: Any) -> dict[str, Any]:
        (row,) = call(conn, name, *arguments, p_rounding=rounding)
        assert str(row["amount"]) == ZEROS[currency]
        assert row | nobody == row
        return row

    row_of("preview_allocation", wallet_id, 1)
    for arguments in ((wallet_id, 1), ([wallet_id], [1])):
        for key in ("once", "once", None):
            many = isinstance(arguments[0], list)
            name = "allocate_deposits" if many else "allocate_deposit"
            keyed = [f"many {key}"] if many and key else key
            before = everything(conn)
            extra = {"p_idempotency_keys" if many else "p_idempotency_key": keyed}
            (row,) = call(conn, name, *arguments, p_rounding=rounding, **extra)
            assert str(row["amount"]) == ZEROS[currency]
            assert row | nobody == row
            assert row["replayed"] == (everything(conn) == before)
            newest = conn.execute("select max(transaction_id) from pgwallet.transaction")
            assert newest.fetchone() == (row["transaction_id"],)
            if many:
                assert row["wallet_id"] == wallet_id
        assert row["replayed"] is False


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_among_many_each_element_has_its_rows_in_order(
    conn: psycopg.Connection, rounding: str
) -> None:
    poor, rich = without_a_share(conn, "a tiny share", "EUR"), funded(conn, "bob", 10)
    pocket_id = pgwallet.create_pocket(conn, rich, "all", 100).pocket_id
    wallets, keys = [poor, rich, poor, rich], ["a", None, "b", "c"]
    for replayed in (False, True):
        rows = pgwallet.allocate_deposits(conn, wallets, [1, 2, 3, 4], keys, rounding)
        assert [row.wallet_id for row in rows] == wallets
        assert [row.pocket_id for row in rows] == [None, pocket_id, None, pocket_id]
        assert [str(row.amount) for row in rows] == ["0.00", "2.00", "0.00", "4.00"]
        assert [row.replayed for row in rows] == [replayed, False, replayed, replayed]
        assert len({row.transaction_id for row in rows}) == 4
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_a_wallet_without_pockets_hides_none_that_holds_too_little(
    conn: psycopg.Connection, rounding: str
) -> None:
    without, poor = funded(conn, "ada", 10), funded(conn, "bob", 10)
    pgwallet.create_pocket(conn, poor, "all", 100)
    with refused(conn, "PW201") as said:
        pgwallet.allocate_deposits(conn, [without, poor], [1, 11], None, rounding)
    assert said[0].detail == "Its balance is 10.00, the amount 11.00."


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_the_driver_has_no_share_but_the_transaction(
    conn: psycopg.Connection, rounding: str
) -> None:
    wallet_id = without_a_share(conn, "none", "EUR")
    amount = Decimal("1.5000")
    first = pgwallet.allocate_deposit(conn, wallet_id, amount, rounding, "key")
    again = pgwallet.allocate_deposit(conn, wallet_id, amount, rounding, "key")
    shown = pgwallet.preview_allocation(conn, wallet_id, amount, rounding)
    assert (first.shares, again.shares, shown.shares) == ((), (), ())
    assert {str(each.allocated) for each in (first, again, shown)} == {"0.00"}
    assert {str(each.remaining) for each in (first, again, shown)} == {"1.50"}
    assert first.transaction_id is not None
    assert again.transaction_id == first.transaction_id
    assert (first.replayed, again.replayed) == (False, True)
    assert (shown.transaction_id, shown.replayed) == (None, False)
