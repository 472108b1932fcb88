"""What the summaries say is what the books say, to the last unit."""

import re
from collections import Counter, defaultdict
from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import by_hand, value
from tests.views.books import EXPONENTS, ZERO, Books
from tests.views.rows import VIEWS, by_id, rows

pytestmark = pytest.mark.sql

PARTS = ("released", "refunded", "commission", "fee", "net")
COUNTS = ("deposit", "withdrawal", "pledge", "release", "refund", "payout", "collection")
AMOUNTS = {
    "deposited_amount": "deposit",
    "withdrawn_amount": "withdrawal",
    "pledged_amount": "pledge",
    "released_amount": "released",
    "refunded_amount": "refund",
    "commission_amount": "commission",
    "fee_amount": "fee",
    "net_amount": "net",
    "paid_out_amount": "payout",
    "collected_amount": "collection",
}


def test_the_books_have_something_of_everything(books: Books) -> None:
    """Else the tests below would compare zeros."""
    for currency in EXPONENTS:
        statuses = {
            escrow.status
            for escrow in books.escrows.values()
            if books.currency[escrow.project_id] == currency
        }
        assert statuses == {"locked", "disputed", "released", "refunded", "settled"}
        assert all(books.moved[currency, what] for what in AMOUNTS.values())
        assert all(books.counted[currency, what] for what in COUNTS)
    assert any(e.left and e.released and e.refunded for e in books.escrows.values())


def test_the_books_have_every_kind_of_transaction(books: Books) -> None:
    """A function that comes with a new one has to be in the books before the views are right."""
    check = value(
        books.conn,
        "select pg_get_constraintdef(oid) from pg_constraint "
        "where conname = 'transaction_kind_known'",
    )
    rows = books.conn.execute("select distinct t.kind from pgwallet.transaction as t").fetchall()
    assert {kind for (kind,) in rows} == set(re.findall(r"'(\w+)'", check))


def test_a_wallet_shows_what_is_free_in_pockets_and_locked(books: Books) -> None:
    found = by_id(books.conn, "wallet_summary", "wallet_id")
    assert found.keys() == books.wallets.keys()
    for wallet_id, row in found.items():
        pockets = [pocket for pocket, wallet in books.pockets.items() if wallet == wallet_id]
        escrows = [e for e in books.escrows.values() if e.wallet_id == wallet_id and e.left]
        in_pockets = sum((books.held[pocket] for pocket in pockets), ZERO)
        locked = sum((escrow.left for escrow in escrows), ZERO)
        assert row["owner_id"] == books.wallets[wallet_id]
        assert row["currency"] == books.currency[wallet_id]
        assert row["pocket_count"] == len(pockets)
        disputed = [escrow for escrow in escrows if escrow.disputed]
        assert row["disputed_count"] == len(disputed)
        assert row["locked_count"] == len(escrows) - len(disputed)
        assert row["disputed_amount"] == sum((escrow.left for escrow in disputed), ZERO)
        assert row["balance"] == books.held[wallet_id] == pgwallet.balance(books.conn, wallet_id)
        assert row["pocket_balance"] == in_pockets
        assert row["locked_amount"] == locked
        assert row["total_amount"] == books.held[wallet_id] + in_pockets + locked


def test_a_pocket_shows_what_it_holds(books: Books) -> None:
    found = by_id(books.conn, "pocket_summary", "pocket_id")
    assert found.keys() == books.pockets.keys()
    for pocket_id, row in found.items():
        assert row["wallet_id"] == books.pockets[pocket_id]
        assert row["owner_id"] == books.wallets[books.pockets[pocket_id]]
        assert row["currency"] == books.currency[pocket_id]
        assert row["balance"] == books.held[pocket_id] == pgwallet.balance(books.conn, pocket_id)


def test_an_escrow_shows_where_its_money_is(books: Books) -> None:
    found = by_id(books.conn, "escrow_summary", "escrow_id")
    assert found.keys() == books.escrows.keys()
    projects = by_id(books.conn, "project_summary", "project_id")
    for escrow_id, row in found.items():
        escrow = books.escrows[escrow_id]
        assert (row["wallet_id"], row["project_id"]) == (escrow.wallet_id, escrow.project_id)
        assert row["owner_id"] == books.wallets[escrow.wallet_id]
        assert row["reference"] == projects[escrow.project_id]["reference"]
        assert row["project_status"] == projects[escrow.project_id]["status"]
        assert row["currency"] == books.currency[escrow.wallet_id]
        assert (row["amount"], row["locked_amount"]) == (escrow.amount, escrow.left)
        assert row["status"] == escrow.status
        for part in PARTS:
            assert row[f"{part}_amount"] == getattr(escrow, part)


def test_the_age_of_an_escrow_counts_from_its_pledge(conn: psycopg.Connection) -> None:
    wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
    pgwallet.deposit(conn, wallet_id, 10)
    pledge = pgwallet.pledge(conn, wallet_id, pgwallet.create_project(conn, "film").project_id, 10)
    conn.execute(
        "update pgwallet.escrow set created_at = created_at - interval '40 days' "
        "where escrow_id = %s",
        [pledge.escrow_id],
    )
    age = value(conn, "select age from pgwallet.escrow_summary where reference = 'film'")
    assert age.days == 40


def test_a_project_shows_what_became_of_its_pledges(books: Books) -> None:
    found = by_id(books.conn, "project_summary", "project_id")
    assert found.keys() == books.projects.keys()
    for project_id, row in found.items():
        escrows = [e for e in books.escrows.values() if e.project_id == project_id]
        statuses = Counter(escrow.status for escrow in escrows)
        assert row["currency"] == books.currency[project_id]
        assert (row["commission_rate"], row["fee_rate"]) == books.projects[project_id]
        assert row["max_pledge"] == books.limits[project_id]
        assert row["escrow_count"] == len(escrows)
        for status in ("locked", "disputed", "released", "refunded", "settled"):
            assert row[f"{status}_count"] == statuses[status]
        assert row["pledged_amount"] == sum((e.amount for e in escrows), ZERO)
        assert row["locked_amount"] == sum((e.left for e in escrows), ZERO)
        assert row["disputed_amount"] == sum((e.left for e in escrows if e.disputed), ZERO)
        for part in PARTS:
            assert row[f"{part}_amount"] == sum((getattr(e, part) for e in escrows), ZERO)
        assert row["paid_out_amount"] == books.paid_out[project_id]
        assert row["balance"] == books.held[project_id] == pgwallet.balance(books.conn, project_id)
        assert row["net_amount"] == row["paid_out_amount"] + row["balance"]


def test_a_project_nobody_pledged_to_shows_zeros(books: Books) -> None:
    idle = [row for row in rows(books.conn, "project_summary") if "idle" in row["reference"]]
    assert len(idle) == len(EXPONENTS)
    for row in idle:
        assert row["status"] == "open"
        assert {row[name] for name in row if name.endswith("_count")} == {0}
        assert {row[name] for name in row if name.endswith("_amount")} == {ZERO}


def test_the_platform_shows_what_moved_in_each_currency(books: Books) -> None:
    found = rows(books.conn, "platform_summary")
    assert {row["currency"] for row in found} == set(EXPONENTS)
    for currency in EXPONENTS:
        # Two months, when the tests run over midnight at the end of one.
        months = [row for row in found if row["currency"] == currency]
        for name, what in AMOUNTS.items():
            assert sum(row[name] for row in months) == books.moved[currency, what], name
        for what in COUNTS:
            assert sum(row[f"{what}_count"] for row in months) == books.counted[currency, what]


def test_what_is_taken_back_counts_against_its_kind_in_the_month_of_that(
    conn: psycopg.Connection,
) -> None:
    wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
    pgwallet.deposit(conn, wallet_id, 100)
    bounced = pgwallet.deposit(conn, wallet_id, 7).transaction_id
    returned = pgwallet.withdraw(conn, wallet_id, 5).transaction_id
    by_hand(conn, "alter table pgwallet.posting disable trigger user")
    by_hand(conn, "update pgwallet.posting set created_at = '2026-01-31 12:00:00+00'")
    pgwallet.reverse_transaction(conn, bounced)
    pgwallet.reverse_transaction(conn, returned)
    found = conn.execute(
        "select deposit_count, deposited_amount, withdrawal_count, withdrawn_amount "
        "from pgwallet.platform_summary order by month"
    ).fetchall()
    assert found == [
        (2, Decimal("107.00"), 1, Decimal("5.00")),
        (-1, Decimal("-7.00"), -1, Decimal("-5.00")),
    ]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Auckland"])
def test_months_are_those_of_utc_wherever_the_reader_is(
    conn: psycopg.Connection, zone: str
) -> None:
    wallet_id = pgwallet.create_wallet(conn, "ada").wallet_id
    by_hand(conn, "alter table pgwallet.posting disable trigger user")
    for amount, recorded_at in (
        (1, "2026-01-31 23:59:59.999999+00"),
        (2, "2026-02-01 00:00:00+00"),
        (4, "2026-02-28 23:30:00+00"),
        (8, "2026-03-01 00:30:00+00"),
    ):
        deposit = pgwallet.deposit(conn, wallet_id, amount)
        by_hand(
            conn,
            "update pgwallet.posting set created_at = %s where transaction_id = %s",
            [recorded_at, deposit.transaction_id],
        )
    conn.execute("select set_config('TimeZone', %s, true)", [zone])
    found = conn.execute(
        "select month::text, deposit_count, deposited_amount from pgwallet.platform_summary "
        "order by month"
    ).fetchall()
    assert found == [
        ("2026-01-01", 1, Decimal("1.00")),
        ("2026-02-01", 2, Decimal("6.00")),
        ("2026-03-01", 1, Decimal("8.00")),
    ]


def test_the_views_agree_with_the_accounts_that_check_ledger_checks(books: Books) -> None:
    """What is locked is in the escrow accounts, what was earned in the platform's own."""
    conn = books.conn
    assert pgwallet.check_ledger(conn) == []
    pledged_to = {
        (row["reference"], row["destination_account_id"])
        for row in rows(conn, "transaction_log")
        if row["kind"] == "pledge"
    }
    locked: defaultdict[str, Decimal] = defaultdict(Decimal)
    for reference, escrow_account_id in pledged_to:
        locked[reference] += pgwallet.balance(conn, escrow_account_id)
    for row in rows(conn, "project_summary"):
        assert row["locked_amount"] == locked[row["reference"]]

    own = conn.execute(
        "select currency, commission_account_id, fee_account_id, external_account_id "
        "from pgwallet.currency where currency = any (%s)",
        [list(EXPONENTS)],
    ).fetchall()
    for currency, commission, fee, external in own:
        (platform,) = (
            {name: sum(row[name] for row in part) for name in AMOUNTS}
            for part in [[r for r in rows(conn, "platform_summary") if r["currency"] == currency]]
        )
        earned = platform["commission_amount"] + platform["fee_amount"]
        left = pgwallet.balance(conn, commission) + pgwallet.balance(conn, fee)
        assert left == earned - platform["collected_amount"]
        inside = sum(
            row[column]
            for view, column in (("wallet_summary", "total_amount"), ("project_summary", "balance"))
            for row in rows(conn, view)
            if row["currency"] == currency
        )
        came_in = platform["deposited_amount"] - platform["withdrawn_amount"]
        went_out = platform["paid_out_amount"] + platform["collected_amount"]
        assert inside + left == came_in - went_out == -pgwallet.balance(conn, external)


@pytest.mark.parametrize("view", VIEWS)
def test_money_carries_the_decimals_of_its_currency(books: Books, view: str) -> None:
    money = 0
    for row in rows(books.conn, view):
        for name, amount in row.items():
            if isinstance(amount, Decimal) and not name.endswith(("_rate", "_percentage")):
                assert amount.as_tuple().exponent == -EXPONENTS[row["currency"]], (name, row)
                money += 1
    assert money > 0
