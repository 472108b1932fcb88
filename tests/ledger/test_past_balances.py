"""What an account held at a time: found by search, and right whatever the clock did."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import by_hand, funded

pytestmark = pytest.mark.sql

START = datetime(2026, 1, 1, tzinfo=UTC)


def recorded(conn: psycopg.Connection, wallet_id: int, minutes: list[float]) -> None:
    """A deposit or withdrawal at each of these minutes, in the order of their ids."""
    for place in range(len(minutes)):
        if place % 3 == 2:
            pgwallet.withdraw(conn, wallet_id, place)
        else:
            pgwallet.deposit(conn, wallet_id, place + 1)
    ids = [row.posting_id for row in pgwallet.statement(conn, wallet_id, limit=1000)]
    by_hand(conn, "alter table pgwallet.posting disable trigger user")
    by_hand(
        conn,
        "update pgwallet.posting as p set created_at = %s::timestamptz + n.minutes * interval '1 m'"
        "from unnest(%s::bigint[], %s::float[]) as n (posting_id, minutes) "
        "where n.posting_id = p.posting_id",
        [START, ids, minutes],
    )


@pytest.mark.parametrize(
    "minutes",
    [
        [30 * place for place in range(40)],
        [*range(0, 40, 2), *range(10, 50, 2)],
        [0, 600, 541, 599, 1200, 1141, 1142, 1200, 1199, 1300],
        [random.Random(7).uniform(0, 59) for _ in range(40)],
        [place * 20 - random.Random(place).uniform(0, 39) for place in range(60)],
    ],
    ids=["right", "set back once", "set back an hour", "mad for an hour", "mad all day"],
)
def test_a_balance_of_the_past_is_what_was_recorded_until_then(
    conn: psycopg.Connection, minutes: list[float]
) -> None:
    """Also where a clock was set back, by up to an hour: nothing of later is in it."""
    wallet_id = funded(conn, "ada", 0)
    recorded(conn, wallet_id, minutes)
    rows = pgwallet.statement(conn, wallet_id, limit=1000)
    for time in sorted({row.created_at for row in rows}):
        for at in (time - timedelta(microseconds=1), time):
            expected = sum((row.amount for row in rows if row.created_at <= at), Decimal(0))
            assert pgwallet.balance_at(conn, wallet_id, at) == expected
    assert pgwallet.balance_at(conn, wallet_id, START + timedelta(days=900)) == rows[-1].balance
