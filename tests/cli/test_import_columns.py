"""pgwallet import: withdrawals, and the columns that not every file has."""

from decimal import Decimal

import psycopg

from tests.cli.test_import import Shop, shop

__all__ = ["shop"]  # the fixture


def test_withdrawals_times_and_metadata_are_imported(shop: Shop) -> None:
    text = (
        "kind,owner_id,amount,reference,effective_at,expires_at,metadata\n"
        'deposit,ada,100,,2026-01-31T12:00:00+01:00,,"{""order"": 17}"\n'
        "deposit,ada,1,,,,\n"
        "withdrawal,ada,30,,2026-02-01T00:00:00Z,,\n"
        "withdrawal,ada,0.50,,,,[1]\n"
        "pledge,ada,20,film,2026-02-02T00:00:00Z,2999-01-01T00:00:00Z,null\n"
        "pledge,ada,5,film,,,\n"
    )
    expected = [
        ("deposit", 2, 0, "101.00 EUR"),
        ("pledge", 2, 0, "25.00 EUR"),
        ("withdrawal", 2, 0, "30.50 EUR"),
    ]
    assert shop.imported(text) == expected
    assert [(row[0], row[2]) for row in shop.imported(text)] == [
        ("deposit", 2),
        ("pledge", 2),
        ("withdrawal", 2),
    ]
    assert shop.balance(shop.ada) == Decimal("45.50")
    with psycopg.connect(shop.conninfo) as conn:
        rows = conn.execute(
            """
            select g.kind::text, g.amount, g.metadata,
              case when g.effective_at <> g.created_at
                then (g.effective_at at time zone 'UTC')::text end
            from pgwallet.transaction_log as g order by g.kind, g.amount
            """
        ).fetchall()
        expiries = conn.execute(
            "select (e.expires_at at time zone 'UTC')::text from pgwallet.escrow as e"
            " order by e.amount"
        ).fetchall()
    assert rows == [
        ("deposit", Decimal("1.00"), None, None),
        ("deposit", Decimal("100.00"), {"order": 17}, "2026-01-31 11:00:00"),
        ("pledge", Decimal("5.00"), None, None),
        ("pledge", Decimal("20.00"), None, "2026-02-02 00:00:00"),
        ("withdrawal", Decimal("0.50"), [1], None),
        ("withdrawal", Decimal("30.00"), None, "2026-02-01 00:00:00"),
    ]
    assert expiries == [(None,), ("2999-01-01 00:00:00",)]


def test_a_withdrawal_takes_no_more_than_is_there(shop: Shop) -> None:
    text = "kind,owner_id,amount\ndeposit,ada,5\nwithdrawal,ada,5.01\nwithdrawal,ada,5\n"
    assert shop.bad_lines(text) == {3: "the wallet of 'ada' holds 5.00 EUR by then, less than 5.01"}


def test_columns_of_others_can_be_ignored(shop: Shop) -> None:
    text = "date,owner_id,amount,memo\nx,ada,1,y\n"
    refused = shop.run(text, "--kind", "deposit")
    assert (refused.returncode, "--ignore-columns date,memo" in refused.stderr) == (1, True)
    options = ("--kind", "deposit", "--ignore-columns", "date,memo")
    assert shop.imported(text, *options) == [("deposit", 1, 0, "1.00 EUR")]
