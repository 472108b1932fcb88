"""A pledge that expired before its project succeeded goes back, and nowhere else."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.conftest import Connect
from tests.ledger.calling import by_hand, call, funded, project, refused, value

pytestmark = pytest.mark.sql


def pledged(conn: psycopg.Connection, count: int = 2) -> tuple[int, int, list[int]]:
    """A wallet that pledged all it has, by tens, its project, and the escrows."""
    wallet_id, project_id = funded(conn, "ada", 10 * count), project(conn)
    rows = pgwallet.pledge_many(conn, project_id, [wallet_id] * count, [10] * count)
    return wallet_id, project_id, [row.escrow_id for row in rows]


def expire(conn: psycopg.Connection, escrow_id: int, at: str = "clock_timestamp()") -> None:
    """Only time, or a superuser, lets a pledge expire."""
    by_hand(
        conn,
        f"""
        update pgwallet.escrow as e set expires_at = {at}
        from pgwallet.project as p
        where p.project_id = e.project_id and e.escrow_id = %s
        """,
        [escrow_id],
    )


def in_vain(conn: psycopg.Connection, escrow_id: int) -> None:
    for amount in (None, 1, Decimal("0.01"), 10):
        with refused(conn, "PW202") as said:
            pgwallet.release_escrow(conn, escrow_id, amount)
        assert "expired" in said[0].message
    with refused(conn, "PW202"):  # too much of it as well
        pgwallet.release_escrow(conn, escrow_id, 11)


REFUNDS: dict[str, Callable[[psycopg.Connection, int], Any]] = {
    "refund_escrow": lambda conn, escrow_id: pgwallet.refund_escrow(conn, escrow_id),
    "refund_expired_escrows": lambda conn, escrow_id: pgwallet.refund_expired_escrows(conn),
}
EVERY_REFUND = pytest.mark.parametrize("refund", REFUNDS)


@EVERY_REFUND
@pytest.mark.parametrize("succeeded", [False, True], ids=["open", "succeeded"])
def test_what_expired_before_a_success_is_given_back_and_not_released(
    conn: psycopg.Connection, succeeded: bool, refund: str
) -> None:
    wallet_id, project_id, (expired, _) = pledged(conn)
    expire(conn, expired)
    if succeeded:
        pgwallet.close_project(conn, project_id, "succeeded")
    in_vain(conn, expired)
    assert REFUNDS[refund](conn, expired).refunded_amount == 10
    assert pgwallet.balance(conn, wallet_id) == 10
    with refused(conn, "PW202") as said:
        pgwallet.release_escrow(conn, expired)
    assert "Its status is expired, 0.00 is left in it" in (said[0].detail or "")
    assert pgwallet.refund_expired_escrows(conn).escrow_count == 0
    assert pgwallet.check_ledger(conn) == []


def test_what_is_left_when_a_part_of_it_was_given_back_is_still_locked(
    conn: psycopg.Connection,
) -> None:
    wallet_id, _, (expired, _) = pledged(conn)
    expire(conn, expired)
    assert pgwallet.refund_escrow(conn, expired, 4).status == "locked"
    assert pgwallet.refund_escrow(conn, expired, 6).status == "expired"
    assert pgwallet.balance(conn, wallet_id) == 10
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("wait", [False, True])
def test_a_batch_of_releases_leaves_out_what_expired_before(
    conn: psycopg.Connection, wait: bool
) -> None:
    wallet_id, project_id, escrow_ids = pledged(conn, 5)
    for expired in escrow_ids[::2]:
        expire(conn, expired)
    pgwallet.close_project(conn, project_id, "succeeded")
    for escrow_id in escrow_ids[1::2]:
        batch = pgwallet.release_escrows(conn, project_id, 1, wait=wait)
        assert (batch.escrow_count, batch.last_escrow_id) == (1, escrow_id)
    assert pgwallet.release_escrows(conn, project_id, wait=wait).escrow_count == 0
    refunded = pgwallet.refund_expired_escrows(conn)
    assert refunded.escrow_count == 3
    assert refunded.refunded_amount == 30
    assert pgwallet.balance(conn, wallet_id) == 30
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("released_by", ["driver", "procedure"])
def test_a_project_is_released_but_for_what_expired_before(
    connect: Connect, released_by: str
) -> None:
    conn = connect(autocommit=True)
    wallet_id, project_id, (expired, _) = pledged(conn)
    expire(conn, expired)
    if released_by == "driver":
        assert [each.escrow_count for each in pgwallet.release_project(conn, project_id)] == [1]
    else:
        conn.execute("call pgwallet.release_project(%s)", [project_id])
    assert pgwallet.refund_expired_escrows(conn).escrow_count == 1
    assert pgwallet.balance(conn, wallet_id) == 10
    assert pgwallet.check_ledger(conn) == []


def test_a_success_voids_the_expiries_that_are_still_to_come(conn: psycopg.Connection) -> None:
    wallet_id, project_id, (single, batch) = pledged(conn)
    pgwallet.close_project(conn, project_id, "succeeded")
    for escrow_id in (single, batch):
        expire(conn, escrow_id, "p.closed_at + interval '1 microsecond'")
    assert pgwallet.refund_expired_escrows(conn).escrow_count == 0
    assert pgwallet.release_escrow(conn, single).released_amount == 10
    assert pgwallet.release_escrows(conn, project_id).gross_amount == 10
    assert pgwallet.balance(conn, wallet_id) == 0


def test_what_expires_in_the_moment_of_a_success_has_expired(conn: psycopg.Connection) -> None:
    _, project_id, (expired, _) = pledged(conn)
    pgwallet.close_project(conn, project_id, "succeeded")
    expire(conn, expired, "p.closed_at")
    in_vain(conn, expired)
    assert pgwallet.release_escrows(conn, project_id).escrow_count == 1
    assert pgwallet.refund_expired_escrows(conn).last_escrow_id == expired


@pytest.mark.parametrize("refund", ["refund_escrows", *REFUNDS])
def test_a_failed_project_gives_back_what_expired_before_or_after(
    conn: psycopg.Connection, refund: str
) -> None:
    wallet_id, project_id, escrow_ids = pledged(conn)
    expire(conn, escrow_ids[0])
    pgwallet.close_project(conn, project_id, "failed")
    expire(conn, escrow_ids[1])
    for escrow_id in escrow_ids:
        with refused(conn, "PW205"):
            pgwallet.release_escrow(conn, escrow_id)
    if refund == "refund_escrows":
        assert pgwallet.refund_escrows(conn, project_id).escrow_count == 2
    else:
        for escrow_id in escrow_ids:
            REFUNDS[refund](conn, escrow_id)
    assert pgwallet.balance(conn, wallet_id) == 20
    assert pgwallet.check_ledger(conn) == []


def test_of_a_milestone_that_came_before_the_expiry_only_the_rest_is_given_back(
    conn: psycopg.Connection,
) -> None:
    wallet_id, project_id, (escrow_id,) = pledged(conn, 1)
    expire(conn, escrow_id, "clock_timestamp() + interval '1 hour'")
    pgwallet.release_escrow(conn, escrow_id, 4, "milestone")
    expire(conn, escrow_id)
    assert pgwallet.release_escrow(conn, escrow_id, 4, "milestone").replayed
    with refused(conn, "PW202"):
        pgwallet.release_escrow(conn, escrow_id, 4, "another")
    pgwallet.close_project(conn, project_id, "succeeded")
    assert pgwallet.release_escrows(conn, project_id).escrow_count == 0
    assert pgwallet.refund_expired_escrows(conn).refunded_amount == 6
    assert pgwallet.balance(conn, wallet_id) == 6
    assert pgwallet.check_ledger(conn) == []


def test_the_summary_says_what_can_only_be_given_back(conn: psycopg.Connection) -> None:
    _, project_id, (before, after, never, settled) = pledged(conn, 4)
    for escrow_id in (before, settled):
        expire(conn, escrow_id)
    expire(conn, after, "clock_timestamp() + interval '1 hour'")
    pgwallet.refund_escrow(conn, settled)
    summary = "select escrow_id, expired from pgwallet.escrow_summary"
    expected = {before: True, after: False, never: False, settled: False}
    assert dict(conn.execute(summary.encode()).fetchall()) == expected
    pgwallet.close_project(conn, project_id, "succeeded")
    expire(conn, after, "p.closed_at + interval '1 microsecond'")
    assert dict(conn.execute(summary.encode()).fetchall()) == expected
    expire(conn, after, "p.closed_at")
    assert dict(conn.execute(summary.encode()).fetchall()) == expected | {after: True}


def test_a_refusal_says_when_it_expired_and_what_to_do(conn: psycopg.Connection) -> None:
    _, project_id, (escrow_id, _) = pledged(conn)
    conn.execute("set timezone = 'UTC'")
    expire(conn, escrow_id, "'2026-01-31 12:00:00+00'")
    with refused(conn, "PW202") as said:
        call(conn, "release_escrow", escrow_id)
    assert "2026-01-31 12:00:00+00" in (said[0].detail or "")
    assert "refund_escrow" in (said[0].hint or "")
    pgwallet.close_project(conn, project_id, "succeeded")
    with refused(conn, "PW202") as said:
        call(conn, "release_escrow", escrow_id)
    closed_at = value(conn, "select closed_at::text from pgwallet.project")
    assert closed_at in (said[0].detail or "")
