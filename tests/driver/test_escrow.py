"""Functions of projects and pledges, on a connection and on an async one."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg

import pgwallet
from pgwallet import PledgeRow
from tests.driver.calling import CallIt, wallet_with_pockets


def test_a_project_has_its_own_rates(call: CallIt) -> None:
    project = call(
        pgwallet.create_project,
        "bridge",
        "USD",
        Decimal("0.1"),
        Decimal("0.02"),
        max_pledge=50,
        fee_fixed=Decimal("0.30"),
    )
    assert project == pgwallet.Project(
        project_id=project.project_id,
        reference="bridge",
        currency="USD",
        status="open",
        commission_rate=Decimal("0.1"),
        fee_rate=Decimal("0.02"),
        fee_fixed=Decimal("0.30"),
        max_pledge=Decimal(50),
    )
    closed = call(pgwallet.close_project, project.project_id, "failed")
    assert (closed.project_id, closed.status) == (project.project_id, "failed")
    moved = call(pgwallet.create_project, "moved", project_id=2**44)
    assert moved.project_id == 2**44


def test_a_pledge_is_released_and_paid_out(call: CallIt) -> None:
    wallet_id, _ = wallet_with_pockets(call, "ada")
    project_id = call(pgwallet.create_project, "bridge").project_id
    pledge = call(
        pgwallet.pledge,
        wallet_id,
        project_id,
        Decimal("60.00"),
        expires_at=datetime.now(UTC) + timedelta(days=1),
        metadata={"reward": 3},
    )
    assert pledge == pgwallet.Pledge(
        pledge.escrow_id,
        wallet_id,
        project_id,
        Decimal("60.00"),
        "locked",
        Decimal("40.00"),
        pledge.transaction_id,
        False,
    )
    part = call(pgwallet.release_escrow, pledge.escrow_id, 20, idempotency_key="milestone 1")
    assert part == pgwallet.Release(
        pledge.escrow_id,
        Decimal("20.00"),
        Decimal("1.00"),
        Decimal("0.58"),
        Decimal("18.42"),
        "locked",
        project_id,
        part.transaction_id,
        False,
    )
    assert call(pgwallet.release_escrow, pledge.escrow_id).status == "released"
    payout = call(pgwallet.payout, project_id, 18)
    assert payout == pgwallet.Payout(Decimal("37.26"), payout.transaction_id, False)


def test_a_pledge_is_refunded(call: CallIt) -> None:
    wallet_id, _ = wallet_with_pockets(call, "ada")
    project_id = call(pgwallet.create_project, "bridge").project_id
    escrow_id = call(pgwallet.pledge, wallet_id, project_id, 60).escrow_id
    refund = call(pgwallet.refund_escrow, escrow_id, Decimal("10.50"))
    assert refund == pgwallet.Refund(
        escrow_id,
        Decimal("10.50"),
        "locked",
        Decimal("50.50"),
        wallet_id,
        refund.transaction_id,
        False,
    )
    assert call(pgwallet.refund_escrow, escrow_id).status == "refunded"


def test_many_pledges_are_released_in_batches(call: CallIt) -> None:
    ada, _ = wallet_with_pockets(call, "ada")
    bob, _ = wallet_with_pockets(call, "bob")
    project_id = call(pgwallet.create_project, "bridge").project_id
    rows = call(pgwallet.pledge_many, project_id, [bob, ada, bob], [10, 20, 30], ["x", None, None])
    assert rows == [
        PledgeRow(bob, rows[0].escrow_id, Decimal(10), Decimal(90), rows[0].transaction_id, False),
        PledgeRow(ada, rows[1].escrow_id, Decimal(20), Decimal(80), rows[1].transaction_id, False),
        PledgeRow(bob, rows[2].escrow_id, Decimal(30), Decimal(60), rows[2].transaction_id, False),
    ]
    call(pgwallet.close_project, project_id, "succeeded")
    batch = call(pgwallet.release_escrows, project_id, limit=2)
    escrow_ids = sorted(row.escrow_id for row in rows)
    assert (batch.escrow_count, batch.last_escrow_id) == (2, escrow_ids[1])
    assert batch.gross_amount == batch.commission_amount + batch.fee_amount + batch.net_amount
    assert batch.transaction_id is not None
    rest = call(pgwallet.release_escrows, project_id, after_escrow_id=batch.last_escrow_id)
    assert rest.escrow_count == 1
    assert batch.gross_amount + rest.gross_amount == 60
    assert call(pgwallet.release_escrows, project_id).escrow_count == 0


def test_many_pledges_are_refunded_in_batches(call: CallIt) -> None:
    wallet_id, _ = wallet_with_pockets(call, "ada")
    project_id = call(pgwallet.create_project, "bridge").project_id
    call(pgwallet.pledge_many, project_id, [wallet_id] * 3, [10, 20, 30])
    call(pgwallet.close_project, project_id, "failed")
    batch = call(pgwallet.refund_escrows, project_id, 2)
    rest = call(pgwallet.refund_escrows, project_id, 2, batch.last_escrow_id)
    assert (batch.escrow_count, rest.escrow_count) == (2, 1)
    assert batch.refunded_amount + rest.refunded_amount == 60
    empty = call(pgwallet.refund_escrows, project_id, 2)
    assert (empty.escrow_count, empty.transaction_id, empty.replayed) == (0, None, False)
    assert call(pgwallet.balance, wallet_id) == 100


def test_nothing_is_refunded_before_it_expires(call: CallIt) -> None:
    wallet_id, _ = wallet_with_pockets(call, "ada")
    project_id = call(pgwallet.create_project, "bridge").project_id
    call(pgwallet.pledge, wallet_id, project_id, 60, datetime.now(UTC) + timedelta(days=1))
    batch = call(pgwallet.refund_expired_escrows, limit=10)
    assert (batch.escrow_count, batch.transaction_id, batch.currency) == (0, None, None)


def pledge_that_expired(conn: psycopg.Connection, currency: str) -> int:
    wallet_id = pgwallet.create_wallet(conn, "ada", currency).wallet_id
    project_id = pgwallet.create_project(conn, f"in {currency}", currency).project_id
    pgwallet.deposit(conn, wallet_id, 60)
    escrow_id = pgwallet.pledge(conn, wallet_id, project_id, 60).escrow_id
    conn.execute("update pgwallet.escrow set expires_at = now() where escrow_id = %s", [escrow_id])
    return escrow_id


def test_expired_escrows_are_refunded(conn: psycopg.Connection) -> None:
    escrow_id = pledge_that_expired(conn, "EUR")
    batch = pgwallet.refund_expired_escrows(conn)
    assert batch == pgwallet.ExpiredBatch(
        1, Decimal("60.00"), escrow_id, batch.transaction_id, False, "EUR"
    )
    assert batch.transaction_id is not None


def test_expired_escrows_of_several_currencies_have_no_sum(conn: psycopg.Connection) -> None:
    pledge_that_expired(conn, "EUR")
    pledge_that_expired(conn, "JPY")
    batch = pgwallet.refund_expired_escrows(conn)
    assert (batch.escrow_count, batch.refunded_amount, batch.currency) == (2, None, None)
