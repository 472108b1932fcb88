"""A statement from either end and of a time, in pages that leave nothing out."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

import pgwallet
from pgwallet import StatementRow
from tests.ledger.calling import by_hand, escrow_account, funded, project, refused

pytestmark = pytest.mark.sql

KINDS = ("wallet", "pocket", "project", "escrow", "commission", "fee", "external")


@pytest.fixture
def accounts(conn: psycopg.Connection) -> dict[str, int]:
    """Each kind of account, with 3 postings or more whose times are a day apart."""
    wallet_id, film = funded(conn, "ada", 100), project(conn, "film")
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "rent").pocket_id
    for _ in range(3):
        pgwallet.transfer_to_pocket(conn, pocket_id, 5)
        escrow_id = pgwallet.pledge(conn, wallet_id, film, 20).escrow_id
        pgwallet.release_escrow(conn, escrow_id)
        pgwallet.payout(conn, film, 1)
    by_hand(conn, "alter table pgwallet.posting disable trigger user")
    by_hand(conn, "update pgwallet.posting set created_at = '2026-01-01Z'::timestamptz")
    by_hand(
        conn,
        "update pgwallet.posting as p set created_at = p.created_at + n.place * interval '1 day' "
        "from (select posting_id, row_number() over (order by posting_id) as place "
        "from pgwallet.posting) as n where n.posting_id = p.posting_id",
    )
    row = conn.execute(
        "select commission_account_id, fee_account_id, external_account_id "
        "from pgwallet.currency where currency = 'EUR'"
    ).fetchone()
    assert row is not None
    return {
        "wallet": wallet_id,
        "pocket": pocket_id,
        "project": film,
        "escrow": escrow_account(conn, wallet_id),
        **dict(zip(("commission", "fee", "external"), row, strict=True)),
    }


def pages(conn: psycopg.Connection, account_id: int, **wanted: Any) -> Iterator[StatementRow]:
    after = 0
    while page := pgwallet.statement(conn, account_id, after, 2, **wanted):
        assert len(page) <= 2
        yield from page
        after = page[-1].posting_id


@pytest.mark.parametrize("kind", KINDS)
def test_the_newest_first_is_the_same_the_other_way_round(
    conn: psycopg.Connection, accounts: dict[str, int], kind: str
) -> None:
    whole = pgwallet.statement(conn, accounts[kind])
    assert len(whole) >= 3
    assert pgwallet.statement(conn, accounts[kind], newest_first=True) == whole[::-1]
    assert [*pages(conn, accounts[kind])] == whole
    assert [*pages(conn, accounts[kind], newest_first=True)] == whole[::-1]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_time_bounds_a_statement_to_the_microsecond(
    conn: psycopg.Connection, accounts: dict[str, int], kind: str, newest_first: bool
) -> None:
    whole = pgwallet.statement(conn, accounts[kind])
    instant = timedelta(microseconds=1)
    times = [row.created_at + shift for row in whole for shift in (-instant, 0 * instant, instant)]
    far = [datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)]
    for from_ in (None, far[0], times[0], times[1], times[2], times[-2], times[-1], far[1]):
        for until in (None, far[0], times[1], times[2], times[-2], far[1]):
            expected = [
                row
                for row in whole
                if (from_ is None or row.created_at >= from_)
                and (until is None or row.created_at < until)
            ]
            found = pages(conn, accounts[kind], newest_first=newest_first, from_=from_, until=until)
            assert [*found] == (expected[::-1] if newest_first else expected)


def test_a_clock_that_was_set_back_hides_nothing(
    conn: psycopg.Connection, accounts: dict[str, int]
) -> None:
    """A posting up to an hour out of order is found by its time."""
    account_id = accounts["wallet"]
    rows = pgwallet.statement(conn, account_id)
    middle = rows[len(rows) // 2]
    by_hand(
        conn,
        "update pgwallet.posting set created_at = %s where posting_id = %s",
        [rows[-1].created_at - timedelta(minutes=30), rows[-1].posting_id],
    )
    by_hand(
        conn,
        "update pgwallet.posting set created_at = %s where posting_id < %s and posting_id >= %s",
        [rows[-1].created_at, rows[-1].posting_id, middle.posting_id],
    )
    late = rows[-1].created_at - timedelta(minutes=1)
    found = pgwallet.statement(conn, account_id, from_=late)
    assert [row.posting_id for row in found] == [
        row.posting_id for row in rows[len(rows) // 2 : -1]
    ]


def test_what_concerns_an_escrow_names_it(
    conn: psycopg.Connection, accounts: dict[str, int]
) -> None:
    rows = pgwallet.statement(conn, accounts["wallet"])
    pledged = [row.escrow_id for row in rows if row.kind == "pledge"]
    assert pledged == [each.escrow_id for each in pgwallet.list_escrows(conn, accounts["wallet"])]
    assert {row.escrow_id for row in rows if row.kind != "pledge"} == {None}


def test_a_time_that_no_client_could_hold_is_refused(
    conn: psycopg.Connection, accounts: dict[str, int]
) -> None:
    for bound in ("p_from", "p_until"):
        with refused(conn, "PW002"):
            conn.execute(
                f"select pgwallet.statement(%s, {bound} => 'infinity')".encode(),
                [accounts["wallet"]],
            )
