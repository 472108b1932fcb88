"""The log has every posting once, as statements have it, with names a person can read."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import value
from tests.views.books import Books
from tests.views.rows import Row, rows

pytestmark = pytest.mark.sql


def as_the_account_sees_it(row: Row, account_id: int) -> tuple[object, ...]:
    """A row of the log as `statement` would have it."""
    paid = row["source_account_id"] == account_id
    return (
        row["posting_id"],
        row["transaction_id"],
        row["kind"],
        -row["amount"] if paid else row["amount"],
        row["source_balance" if paid else "destination_balance"],
        row["destination_account_id" if paid else "source_account_id"],
        row["created_at"],
        row["effective_at"],
        row["metadata"],
        row["reversed_transaction_id"],
    )


def test_each_account_s_rows_are_its_statement(books: Books) -> None:
    log = sorted(rows(books.conn, "transaction_log"), key=lambda row: row["posting_id"])
    accounts = books.conn.execute(
        "select distinct unnest(array[source_account_id, destination_account_id]) "
        "from pgwallet.posting"
    ).fetchall()
    assert len(accounts) > 30
    for (account_id,) in accounts:
        seen = [
            as_the_account_sees_it(row, account_id)
            for row in log
            if account_id in (row["source_account_id"], row["destination_account_id"])
        ]
        statement = pgwallet.statement(books.conn, account_id, limit=10_000)
        assert seen == [
            (
                *(row.posting_id, row.transaction_id, row.kind, row.amount, row.balance),
                *(row.counterpart_id, row.created_at, row.effective_at, row.metadata),
                row.reversed_transaction_id,
            )
            for row in statement
        ]


def test_every_posting_is_there_once(books: Books) -> None:
    ids = [row["posting_id"] for row in rows(books.conn, "transaction_log")]
    assert len(ids) == len(set(ids)) == value(books.conn, "select count(*) from pgwallet.posting")


@pytest.fixture
def told(conn: psycopg.Connection) -> list[Row]:
    """The life of one pledge, and a pocket, in the order of the calls."""
    wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "rent").pocket_id
    project_id = pgwallet.create_project(conn, "film").project_id
    yesterday = datetime.now(UTC) - timedelta(days=1)
    pgwallet.deposit(conn, wallet_id, 100, "salary-1", {"bank": "N26"}, yesterday)
    pgwallet.transfer_to_pocket(conn, pocket_id, 10)
    pgwallet.transfer_from_pocket(conn, pocket_id, 5)
    escrow_id = pgwallet.pledge(conn, wallet_id, project_id, 50).escrow_id
    pgwallet.refund_escrow(conn, escrow_id, 20)
    pgwallet.release_escrow(conn, escrow_id)
    pgwallet.payout(conn, project_id, 7)
    pgwallet.withdraw(conn, wallet_id, 3)
    log = sorted(rows(conn, "transaction_log"), key=lambda row: row["posting_id"])
    assert {row["escrow_id"] for row in log if row["kind"] in ("pledge", "refund", "release")} == {
        escrow_id
    }
    assert log[0]["effective_at"] == yesterday
    return log


def test_accounts_have_the_names_that_people_know(told: list[Row]) -> None:
    named = [
        tuple(str(row[name]) for name in ("kind", *SIDES, "owner_id", "reference", "amount"))
        for row in told
    ]
    assert named == [
        ("deposit", "external", "external", "wallet", "ada", "ada", "None", "100.00"),
        ("transfer_to_pocket", "wallet", "ada", "pocket", "rent", "ada", "None", "10.00"),
        ("transfer_from_pocket", "pocket", "rent", "wallet", "ada", "ada", "None", "5.00"),
        ("pledge", "wallet", "ada", "escrow", "film", "ada", "film", "50.00"),
        ("refund", "escrow", "film", "wallet", "ada", "ada", "film", "20.00"),
        ("release", "escrow", "film", "project", "film", "None", "film", "27.63"),
        ("release", "escrow", "film", "commission", "commission", "None", "film", "1.50"),
        ("release", "escrow", "film", "fee", "fee", "None", "film", "0.87"),
        ("payout", "project", "film", "external", "external", "None", "film", "7.00"),
        ("withdrawal", "wallet", "ada", "external", "external", "ada", "None", "3.00"),
    ]


SIDES = ("source_kind", "source_name", "destination_kind", "destination_name")


def test_what_the_caller_said_is_beside_each_movement(told: list[Row]) -> None:
    first, *others = told
    assert (first["idempotency_key"], first["metadata"]) == ("salary-1", {"bank": "N26"})
    for row in others:
        assert (row["idempotency_key"], row["metadata"]) == (None, None)
        assert row["effective_at"] == row["created_at"]


def test_a_posting_without_its_transaction_is_still_in_the_log(conn: psycopg.Connection) -> None:
    """check_ledger names such a posting; who looks for it finds it."""
    conn.execute(
        "insert into pgwallet.posting (posting_id, transaction_id, source_account_id, "
        "destination_account_id, amount) values (-7, -8, 1, 2, 5)"
    )
    assert ("posting -7", 5) in [(v.subject, v.invariant) for v in pgwallet.check_ledger(conn)]
    (row,) = (row for row in rows(conn, "transaction_log") if row["posting_id"] == -7)
    assert (row["transaction_id"], row["amount"], row["kind"]) == (-8, 5, None)
