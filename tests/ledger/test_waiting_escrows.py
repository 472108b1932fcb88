"""currency_metrics counts what waits: disputes, what has expired, projects that nobody settled."""

from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import by_hand

pytestmark = pytest.mark.sql


def metrics(conn: psycopg.Connection) -> pgwallet.CurrencyMetrics:
    (euro,) = pgwallet.currency_metrics(conn)
    return euro


@pytest.fixture
def pledges(conn: psycopg.Connection) -> list[int]:
    """Two pledges of 10 for one project."""
    ada = pgwallet.create_wallet(conn, "ada").wallet_id
    film = pgwallet.create_project(conn, "film").project_id
    pgwallet.deposit(conn, ada, 50)
    return [pgwallet.pledge(conn, ada, film, 10).escrow_id for _ in range(2)]


def succeed(conn: psycopg.Connection) -> None:
    (film,) = pgwallet.list_projects(conn)
    pgwallet.close_project(conn, film.project_id, "succeeded")


def test_what_a_dispute_holds_leaves_no_project_unsettled(
    conn: psycopg.Connection, pledges: list[int]
) -> None:
    pgwallet.dispute_escrow(conn, pledges[0], "stolen")
    assert metrics(conn).unsettled_count == 0
    succeed(conn)
    assert metrics(conn).unsettled_count == 1
    pgwallet.release_escrow(conn, pledges[1])
    left = metrics(conn)
    assert (left.unsettled_count, left.disputed_count, left.disputed_amount) == (0, 1, Decimal(10))


@pytest.mark.parametrize(("expiry", "expired"), [("-1 second", 2), ("1 second", 0)])
def test_what_expires_after_the_success_has_not_expired(
    conn: psycopg.Connection, pledges: list[int], expiry: str, expired: int
) -> None:
    succeed(conn)
    by_hand(conn, "update pgwallet.project set closed_at = closed_at - interval '1 hour'")
    by_hand(
        conn,
        "update pgwallet.escrow as e set expires_at = p.closed_at + %s::interval "
        "from pgwallet.project as p where p.project_id = e.project_id",
        [expiry],
    )
    found = metrics(conn)
    assert found.expired_count == expired
    assert (found.oldest_expired_at is not None) is (expired > 0)


def test_no_more_than_a_thousand_expired_escrows_are_counted(conn: psycopg.Connection) -> None:
    ada = pgwallet.create_wallet(conn, "ada").wallet_id
    film = pgwallet.create_project(conn, "film").project_id
    pgwallet.deposit(conn, ada, 1500)
    pgwallet.pledge_many(conn, film, [ada] * 1500, [1] * 1500)
    by_hand(conn, "update pgwallet.escrow set expires_at = created_at - interval '1 second'")
    assert metrics(conn).expired_count == 1000
