"""Batches of releases and refunds: what they take, what they leave, and expiry."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.conftest import Connect
from tests.ledger.calling import everything, funded, project, value

pytestmark = pytest.mark.sql


def pledges(
    conn: psycopg.Connection, amounts: list[int], reference: str = "project", currency: str = "EUR"
) -> tuple[int, int, list[int]]:
    """A wallet that pledged all it has, its project, and the escrows."""
    wallet_id = funded(conn, reference, sum(amounts), currency)
    project_id = project(conn, reference, currency=currency)
    rows = pgwallet.pledge_many(conn, project_id, [wallet_id] * len(amounts), amounts)
    return wallet_id, project_id, [row.escrow_id for row in rows]


def expire(conn: psycopg.Connection, *escrow_ids: int) -> None:
    conn.execute(
        "update pgwallet.escrow set expires_at = now() - interval '1 second' "
        "where escrow_id = any (%s)",
        [list(escrow_ids)],
    )


def test_batches_of_a_release_walk_through_all_escrows(conn: psycopg.Connection) -> None:
    _, project_id, escrow_ids = pledges(conn, [1, 2, 3, 4, 5])
    pgwallet.close_project(conn, project_id, "succeeded")
    counts, after = [], 0
    while (batch := pgwallet.release_escrows(conn, project_id, 2, after)).escrow_count:
        counts.append((batch.escrow_count, batch.gross_amount))
        after = batch.last_escrow_id
        assert batch.transaction_id is not None
    assert counts == [(2, Decimal(3)), (2, Decimal(7)), (1, Decimal(5))]
    assert after == escrow_ids[-1]
    assert batch.transaction_id is None
    assert batch.gross_amount == 0
    assert pgwallet.check_ledger(conn) == []


def test_starting_from_zero_is_always_right(conn: psycopg.Connection) -> None:
    wallet_id, project_id, _ = pledges(conn, [1, 2, 3, 4, 5])
    pgwallet.close_project(conn, project_id, "failed")
    amounts = [pgwallet.refund_escrows(conn, project_id, 2).refunded_amount for _ in range(4)]
    assert amounts == [3, 7, 5, 0]
    assert pgwallet.balance(conn, wallet_id) == 15
    assert pgwallet.check_ledger(conn) == []


def test_a_batch_that_finds_none_leaves_no_trace(conn: psycopg.Connection) -> None:
    succeeded, failed = project(conn, "good"), project(conn, "bad")
    pgwallet.close_project(conn, succeeded, "succeeded")
    pgwallet.close_project(conn, failed, "failed")
    before = everything(conn)
    assert pgwallet.release_escrows(conn, succeeded).escrow_count == 0
    assert pgwallet.refund_escrows(conn, failed).escrow_count == 0
    assert pgwallet.refund_expired_escrows(conn).escrow_count == 0
    assert everything(conn) == before


def test_a_batch_s_sums_are_the_sums_of_its_escrows(conn: psycopg.Connection) -> None:
    _, project_id, _ = pledges(conn, [1, 7, 13, 29, 31])
    pgwallet.close_project(conn, project_id, "succeeded")
    batch = pgwallet.release_escrows(conn, project_id)
    row = conn.execute(
        """
        select sum(released_amount), sum(commission_amount), sum(fee_amount), sum(net_amount)
        from pgwallet.escrow
        """
    ).fetchone()
    assert row == (
        batch.gross_amount,
        batch.commission_amount,
        batch.fee_amount,
        batch.net_amount,
    )


def test_a_batch_tells_apart_what_is_untouched_and_what_was_begun(
    conn: psycopg.Connection,
) -> None:
    project_id = project(conn, commission_rate=Decimal("0.1"), fee_rate=Decimal("0.05"))
    wallet_id = funded(conn, "ada", 100)
    untouched, released, refunded, both = (
        row.escrow_id
        for row in pgwallet.pledge_many(conn, project_id, [wallet_id] * 4, [10, 20, 30, 40])
    )
    pgwallet.release_escrow(conn, released, 5)
    pgwallet.refund_escrow(conn, refunded, 7)
    pgwallet.release_escrow(conn, both, 9)
    pgwallet.refund_escrow(conn, both, 3)
    pgwallet.close_project(conn, project_id, "succeeded")
    before = pgwallet.balance(conn, project_id)

    batch = pgwallet.release_escrows(conn, project_id)

    taken = (batch.gross_amount, batch.commission_amount, batch.fee_amount, batch.net_amount)
    assert taken == (Decimal(76), Decimal("7.6"), Decimal("3.8"), Decimal("64.6"))
    assert batch.last_escrow_id == both
    assert pgwallet.balance(conn, project_id) - before == batch.net_amount
    posted = conn.execute(
        "select amount from pgwallet.posting where transaction_id = %s order by posting_id",
        [batch.transaction_id],
    ).fetchall()
    assert [row[0] for row in posted] == [Decimal("64.6"), Decimal("7.6"), Decimal("3.8")]
    kept = conn.execute(
        """
        select
          escrow_id, released_amount, refunded_amount, commission_amount, fee_amount, net_amount,
          status::text
        from pgwallet.escrow
        order by escrow_id
        """
    ).fetchall()
    assert [tuple(map(str, row[1:])) for row in kept] == [
        ("10.00", "0", "1.00", "0.50", "8.50", "released"),
        ("20.00", "0", "2.00", "1.00", "17.00", "released"),
        ("23.00", "7.00", "2.30", "1.15", "19.55", "settled"),
        ("37.00", "3.00", "3.70", "1.85", "31.45", "settled"),
    ]
    assert [row[0] for row in kept] == [untouched, released, refunded, both]
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_a_batch_leaves_the_escrow_it_goes_on_after(conn: psycopg.Connection, outcome: str) -> None:
    _, project_id, escrow_ids = pledges(conn, [1, 2, 3])
    pgwallet.close_project(conn, project_id, outcome)
    settle = pgwallet.release_escrows if outcome == "succeeded" else pgwallet.refund_escrows
    batch = settle(conn, project_id, 10, escrow_ids[0])
    assert (batch.escrow_count, batch.last_escrow_id) == (2, escrow_ids[2])
    locked = conn.execute("select escrow_id from pgwallet.escrow where status = 'locked'")
    assert locked.fetchall() == [(escrow_ids[0],)]


def test_a_cent_is_not_taken_twice(conn: psycopg.Connection) -> None:
    half = Decimal("0.5")
    project_id = project(conn, commission_rate=half, fee_rate=half)
    pgwallet.pledge(conn, funded(conn, "ada", 1), project_id, Decimal("0.01"))
    pgwallet.close_project(conn, project_id, "succeeded")
    batch = pgwallet.release_escrows(conn, project_id)
    taken = (batch.commission_amount, batch.fee_amount, batch.net_amount)
    assert taken == (Decimal("0.01"), Decimal(0), Decimal(0))


def test_a_cent_that_milestones_left_is_not_taken_twice(conn: psycopg.Connection) -> None:
    half, cent, none = Decimal("0.5"), Decimal("0.01"), Decimal(0)
    project_id = project(conn, commission_rate=half, fee_rate=half)
    pledge = pgwallet.pledge(conn, funded(conn, "ada", 1), project_id, 3 * cent)
    part = pgwallet.release_escrow(conn, pledge.escrow_id, 2 * cent)
    assert (part.commission_amount, part.fee_amount, part.net_amount) == (cent, cent, none)
    pgwallet.close_project(conn, project_id, "succeeded")
    batch = pgwallet.release_escrows(conn, project_id)
    assert (batch.commission_amount, batch.fee_amount, batch.net_amount) == (cent, none, none)
    assert pgwallet.check_ledger(conn) == []


def test_a_batch_skips_what_another_transaction_holds(connect: Connect) -> None:
    conn, holder = connect(autocommit=True), connect()
    _, project_id, escrow_ids = pledges(conn, [1, 2, 3])
    pgwallet.close_project(conn, project_id, "succeeded")
    pgwallet.refund_escrow(holder, escrow_ids[1])
    assert pgwallet.release_escrows(conn, project_id).gross_amount == 4
    assert pgwallet.release_escrows(conn, project_id).escrow_count == 0
    holder.rollback()
    assert pgwallet.release_escrows(conn, project_id).gross_amount == 2
    assert pgwallet.check_ledger(conn) == []


def test_refunds_of_one_wallet_in_one_batch_have_running_balances(
    conn: psycopg.Connection,
) -> None:
    wallet_id, project_id, _ = pledges(conn, [1, 2, 3])
    pgwallet.close_project(conn, project_id, "failed")
    pgwallet.refund_escrows(conn, project_id)
    rows = pgwallet.statement(conn, wallet_id)[-3:]
    assert [row.amount for row in rows] == [1, 2, 3]
    assert [row.balance for row in rows] == [1, 3, 6]


def test_only_what_is_past_its_expiry_is_refunded(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 30)
    project_id = project(conn)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    expired, later, never = (
        pgwallet.pledge(conn, wallet_id, project_id, 10, expires_at).escrow_id
        for expires_at in (tomorrow, tomorrow, None)
    )
    assert pgwallet.refund_expired_escrows(conn).escrow_count == 0
    expire(conn, expired)
    batch = pgwallet.refund_expired_escrows(conn)
    assert (batch.escrow_count, batch.last_escrow_id) == (1, expired)
    assert batch.refunded_amount == 10
    assert pgwallet.balance(conn, wallet_id) == 10
    locked = conn.execute(
        "select escrow_id from pgwallet.escrow where status = 'locked' order by escrow_id"
    ).fetchall()
    assert [row[0] for row in locked] == [later, never]
    assert pgwallet.check_ledger(conn) == []


def test_what_expired_first_is_refunded_first(conn: psycopg.Connection) -> None:
    wallet_id, project_id = funded(conn, "ada", 30), project(conn)
    escrows = [pgwallet.pledge(conn, wallet_id, project_id, 10).escrow_id for _ in range(3)]
    for days, escrow_id in zip((1, 3, 2), escrows, strict=True):
        conn.execute(
            "update pgwallet.escrow set expires_at = now() - make_interval(days => %s) "
            "where escrow_id = %s",
            [days, escrow_id],
        )
    refunded = [pgwallet.refund_expired_escrows(conn, 1).last_escrow_id for _ in range(3)]
    assert refunded == [escrows[1], escrows[2], escrows[0]]


def test_expired_escrows_of_many_projects_and_wallets_come_in_one_batch(
    conn: psycopg.Connection,
) -> None:
    ada, first, escrows = pledges(conn, [1, 2], "ada")
    bob, second, others = pledges(conn, [3, 4], "bob")
    pgwallet.close_project(conn, second, "failed")
    expire(conn, *escrows, *others)
    assert pgwallet.refund_expired_escrows(conn, 3).escrow_count == 3
    assert pgwallet.refund_expired_escrows(conn, 3).escrow_count == 1
    assert pgwallet.refund_expired_escrows(conn, 3).escrow_count == 0
    assert pgwallet.balance(conn, ada) == 3
    assert pgwallet.balance(conn, bob) == 7
    assert first != second
    assert pgwallet.check_ledger(conn) == []


def test_expired_escrows_of_several_currencies_have_no_sum(conn: psycopg.Connection) -> None:
    ada, _, escrows = pledges(conn, [1], "ada")
    bob, _, others = pledges(conn, [2], "bob", "JPY")
    expire(conn, *escrows, *others)
    batch = pgwallet.refund_expired_escrows(conn)
    assert (batch.escrow_count, batch.refunded_amount) == (2, None)
    assert pgwallet.balance(conn, ada) == 1
    assert pgwallet.balance(conn, bob) == 2
    assert pgwallet.check_ledger(conn) == []


def test_a_refund_gives_back_only_what_is_left(conn: psycopg.Connection) -> None:
    wallet_id, project_id, (escrow_id,) = pledges(conn, [10])
    pgwallet.release_escrow(conn, escrow_id, Decimal("2.50"))
    pgwallet.close_project(conn, project_id, "failed")
    assert pgwallet.refund_escrows(conn, project_id).refunded_amount == Decimal("7.50")
    assert pgwallet.balance(conn, wallet_id) == Decimal("7.50")
    assert value(conn, "select status::text from pgwallet.escrow") == "settled"
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize(
    ("procedure", "status"), [("release_project", "released"), ("refund_project", "refunded")]
)
def test_the_procedures_settle_everything_and_say_so(
    connect: Connect, procedure: str, status: str
) -> None:
    conn = connect(autocommit=True)
    notices: list[str] = []
    conn.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    _, project_id, _ = pledges(conn, [1] * 5)
    for expected in (4, 1):  # two batches and a half, and the end; then only the end
        notices.clear()
        conn.execute(f"call pgwallet.{procedure}(%s, 2)".encode(), [project_id])
        assert len(notices) == expected
        assert all(str(project_id) in notice for notice in notices)
    assert value(conn, "select count(*) from pgwallet.escrow where status::text = %s", status) == 5
    assert pgwallet.check_ledger(conn) == []
