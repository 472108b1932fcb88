"""Balances now and then, and statements, for each kind of account."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import escrow_account, funded, project, refused, value

pytestmark = pytest.mark.sql


def accounts(conn: psycopg.Connection, currency: str = "EUR") -> dict[str, int]:
    """The flow-only accounts of a currency."""
    row = conn.execute(
        """
        select external_account_id, commission_account_id, fee_account_id
        from pgwallet.currency where currency = %s
        """,
        [currency],
    ).fetchone()
    assert row is not None
    return dict(zip(("external", "commission", "fee"), row, strict=True))


@pytest.fixture
def story(conn: psycopg.Connection) -> dict[str, int]:
    """100 came in; 20 went to a pocket, 30 and 40 to a project, 30 were released, 7 paid out."""
    wallet_id = funded(conn, "ada", 100)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "holiday").pocket_id
    pgwallet.transfer_to_pocket(conn, pocket_id, 20)
    project_id = project(conn)
    released = pgwallet.pledge(conn, wallet_id, project_id, 30).escrow_id
    pgwallet.pledge(conn, wallet_id, project_id, 40)
    pgwallet.release_escrow(conn, released)
    pgwallet.payout(conn, project_id, 7)
    return {
        "wallet": wallet_id,
        "pocket": pocket_id,
        "project": project_id,
        "escrow": escrow_account(conn, wallet_id),
        **accounts(conn),
    }


BALANCES = {
    "wallet": "10.00",
    "pocket": "20.00",
    "project": "20.63",
    "escrow": "40.00",
    "commission": "1.50",
    "fee": "0.87",
    "external": "-93.00",
}


@pytest.mark.parametrize("kind", BALANCES)
def test_each_kind_of_account_has_a_balance(
    conn: psycopg.Connection, story: dict[str, int], kind: str
) -> None:
    assert str(pgwallet.balance(conn, story[kind])) == BALANCES[kind]
    later = datetime.now(UTC) + timedelta(hours=1)
    assert str(pgwallet.balance_at(conn, story[kind], later)) == BALANCES[kind]
    assert sum(map(Decimal, BALANCES.values())) == 0


def test_what_was_given_back_is_in_escrow_no_more(
    conn: psycopg.Connection, story: dict[str, int]
) -> None:
    locked = value(conn, "select escrow_id from pgwallet.escrow where status = 'locked'")
    pgwallet.refund_escrow(conn, locked, 15)
    assert str(pgwallet.balance(conn, story["escrow"])) == "25.00"
    pgwallet.release_escrow(conn, locked, 5)
    assert str(pgwallet.balance(conn, story["escrow"])) == "20.00"


@pytest.mark.parametrize("kind", BALANCES)
def test_a_balance_at_a_time_counts_what_was_recorded_until_then(
    conn: psycopg.Connection, story: dict[str, int], kind: str
) -> None:
    account_id = story[kind]
    assert pgwallet.balance_at(conn, account_id, datetime(2020, 1, 1, tzinfo=UTC)) == 0
    total = Decimal(0)
    for row in pgwallet.statement(conn, account_id):
        just_before = row.created_at - timedelta(microseconds=1)
        if kind in ("wallet", "pocket", "project"):
            assert pgwallet.balance_at(conn, account_id, just_before) == total
        total += row.amount
        assert pgwallet.balance_at(conn, account_id, row.created_at) == total
    assert str(total) == BALANCES[kind]


@pytest.mark.parametrize("kind", BALANCES)
def test_a_statement_lists_every_movement_signed(
    conn: psycopg.Connection, story: dict[str, int], kind: str
) -> None:
    rows = pgwallet.statement(conn, story[kind])
    assert [row.posting_id for row in rows] == sorted(row.posting_id for row in rows)
    total = Decimal(0)
    for row in rows:
        total += row.amount
        assert row.balance == (total if kind in ("wallet", "pocket", "project") else None)
    assert str(total) == BALANCES[kind]
    stories: dict[str, list[tuple[str, int | str, str]]] = {
        "wallet": [
            ("deposit", 100, "external"),
            ("transfer_to_pocket", -20, "pocket"),
            ("pledge", -30, "escrow"),
            ("pledge", -40, "escrow"),
        ],
        "pocket": [("transfer_to_pocket", 20, "wallet")],
        "project": [("release", "27.63", "escrow"), ("payout", -7, "external")],
        "escrow": [
            ("pledge", 30, "wallet"),
            ("pledge", 40, "wallet"),
            ("release", "-27.63", "project"),
            ("release", "-1.50", "commission"),
            ("release", "-0.87", "fee"),
        ],
        "commission": [("release", "1.50", "escrow")],
        "fee": [("release", "0.87", "escrow")],
        "external": [("deposit", -100, "wallet"), ("payout", 7, "project")],
    }
    assert [(row.kind, row.amount, row.counterpart_id) for row in rows] == [
        (name, Decimal(amount), story[other]) for name, amount, other in stories[kind]
    ]


@pytest.mark.parametrize("kind", BALANCES)
def test_a_statement_comes_in_pages(
    conn: psycopg.Connection, story: dict[str, int], kind: str
) -> None:
    whole = pgwallet.statement(conn, story[kind])
    pages, after = [], 0
    while page := pgwallet.statement(conn, story[kind], after, 2):
        assert len(page) <= 2
        pages += page
        after = page[-1].posting_id
    assert pages == whole


def test_a_statement_shows_metadata_and_when_it_happened(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 0)
    happened = datetime(2024, 2, 29, 12, tzinfo=UTC)
    metadata: dict[str, Any] = {"note": "100 % 'quoted'", "list": [1, None, "ü"]}
    pgwallet.deposit(conn, wallet_id, 5, "key", metadata, happened)
    pgwallet.deposit(conn, wallet_id, 6)
    told, untold = pgwallet.statement(conn, wallet_id)
    assert (told.metadata, told.effective_at) == (metadata, happened)
    assert untold.metadata is None
    assert untold.effective_at == untold.created_at
    assert told.created_at > happened


@pytest.mark.parametrize(
    "zone", ["UTC", "America/New_York", "Asia/Tokyo", "Etc/GMT+12", "Pacific/Kiritimati"]
)
def test_the_first_and_the_last_time_that_are_taken_are_shown_in_every_zone(
    conn: psycopg.Connection, zone: str
) -> None:
    """A client whose years are 1 to 9999 could not hold them in its own zone."""
    wallet_id = funded(conn, "ada", 0)
    edges = ("0001-01-03 00:00+00", "9999-12-29 23:59:59.999999+00")
    for edge, beyond in zip(edges, ("-1 microsecond", "1 microsecond"), strict=True):
        call = "select pgwallet.deposit({}, 1, p_effective_at => {})"
        edge = f"'{edge}'::timestamptz"
        conn.execute(call.format(wallet_id, edge).encode())
        with refused(conn, "PW002"):
            conn.execute(call.format(wallet_id, f"{edge} + interval '{beyond}'").encode())
    conn.execute("select set_config('timezone', %s, true)", [zone])
    first, last = pgwallet.statement(conn, wallet_id)
    assert first.effective_at == datetime(1, 1, 3, tzinfo=UTC)
    assert last.effective_at == datetime(9999, 12, 29, 23, 59, 59, 999999, tzinfo=UTC)


def test_a_new_account_has_a_balance_of_zero_and_no_statement(conn: psycopg.Connection) -> None:
    for currency, zero in (("EUR", "0.00"), ("JPY", "0"), ("KWD", "0.000")):
        wallet_id = funded(conn, "ada", 0, currency)
        project_id = project(conn, currency, currency=currency)
        pocket_id = pgwallet.create_pocket(conn, wallet_id, "holiday").pocket_id
        escrow = value(
            conn,
            "select escrow_account_id from pgwallet.project where project_id = %s",
            project_id,
        )
        for account_id in (
            wallet_id,
            project_id,
            pocket_id,
            escrow,
            *accounts(conn, currency).values(),
        ):
            assert str(pgwallet.balance(conn, account_id)) == zero
            assert pgwallet.statement(conn, account_id) == []


def test_pockets_and_escrows_share_the_slot_of_their_wallet(conn: psycopg.Connection) -> None:
    project_id = project(conn)
    for owner in ("ada", "bob", "eve"):
        wallet_id = funded(conn, owner, 10)
        assert funded(conn, owner, 0, "JPY") % 1024 == wallet_id % 1024
        assert pgwallet.create_pocket(conn, wallet_id, "x").pocket_id % 1024 == wallet_id % 1024
        escrow_id = pgwallet.pledge(conn, wallet_id, project_id, 10).escrow_id
        assert escrow_id % 1024 == wallet_id % 1024
    assert project_id % 1024 == 0


def test_for_each_account_the_order_of_ids_is_the_order_of_times(
    conn: psycopg.Connection, story: dict[str, int]
) -> None:
    for account_id in story.values():
        rows = pgwallet.statement(conn, account_id)
        assert [row.created_at for row in rows] == sorted(row.created_at for row in rows)
