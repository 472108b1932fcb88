"""Releasing in parts: together they take exactly what one release would have taken."""

from decimal import ROUND_HALF_UP, Decimal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pgwallet
from tests.ledger.calling import funded

pytestmark = pytest.mark.sql

CURRENCIES = {"EUR": 2, "JPY": 0, "KWD": 3}


@st.composite
def splits(draw: st.DrawFn) -> tuple[str, list[Decimal], Decimal, Decimal]:
    """A currency, the parts of an amount in it, and two rates that sum to at most 1."""
    currency = draw(st.sampled_from(sorted(CURRENCIES)))
    units = draw(st.lists(st.integers(1, 10_000), min_size=1, max_size=8))
    commission = draw(st.integers(0, 10_000))
    fee = draw(st.integers(0, 10_000 - commission))
    unit = Decimal(1).scaleb(-CURRENCIES[currency])
    return (
        currency,
        [each * unit for each in units],
        Decimal(commission) / 10_000,
        Decimal(fee) / 10_000,
    )


@given(split=splits())
@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_parts_sum_to_what_one_release_takes(
    conn: psycopg.Connection, split: tuple[str, list[Decimal], Decimal, Decimal]
) -> None:
    currency, amounts, commission_rate, fee_rate = split
    total = sum(amounts, Decimal(0))
    unit = Decimal(1).scaleb(-CURRENCIES[currency])
    with conn.transaction(force_rollback=True):
        wallet_id = funded(conn, "ada", 2 * total, currency)
        project_id = pgwallet.create_project(
            conn, "bridge", currency, commission_rate, fee_rate, 10**9
        ).project_id
        whole = pgwallet.release_escrow(
            conn, pgwallet.pledge(conn, wallet_id, project_id, total).escrow_id
        )
        escrow_id = pgwallet.pledge(conn, wallet_id, project_id, total).escrow_id
        parts = [pgwallet.release_escrow(conn, escrow_id, amount) for amount in amounts]
        violations = pgwallet.check_ledger(conn)

    # One release, worked out here as docs/concepts/rounding.md says it.
    commission = min(total, (total * commission_rate).quantize(unit, ROUND_HALF_UP))
    fee = min(total - commission, (total * fee_rate).quantize(unit, ROUND_HALF_UP))
    assert (whole.commission_amount, whole.fee_amount) == (commission, fee)
    for name in ("released_amount", "commission_amount", "fee_amount", "net_amount"):
        assert all(getattr(part, name) >= 0 for part in parts)
    assert sum(part.released_amount for part in parts) == total
    assert sum(part.commission_amount for part in parts) == commission
    assert [part.status for part in parts] == ["locked"] * (len(parts) - 1) + ["released"]
    for part in parts:
        assert part.commission_amount + part.fee_amount + part.net_amount == part.released_amount
    assert sum(part.fee_amount for part in parts) == fee
    assert violations == []


def test_a_batch_releases_what_a_milestone_left(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 100)
    project_id = pgwallet.create_project(conn, "bridge").project_id
    escrow_id = pgwallet.pledge(conn, wallet_id, project_id, Decimal("33.33")).escrow_id
    part = pgwallet.release_escrow(conn, escrow_id, Decimal("11.11"))
    pgwallet.refund_escrow(conn, escrow_id, Decimal("3.33"))
    pgwallet.close_project(conn, project_id, "succeeded")
    batch = pgwallet.release_escrows(conn, project_id)
    assert batch.gross_amount == Decimal("18.89")
    # Of 30.00 in all: 1.50 and 0.87.
    assert part.commission_amount + batch.commission_amount == Decimal("1.50")
    assert part.fee_amount + batch.fee_amount == Decimal("0.87")
    assert pgwallet.balance(conn, project_id) == Decimal("27.63")
    assert pgwallet.balance(conn, wallet_id) == Decimal("70.00")
    assert pgwallet.check_ledger(conn) == []


def test_small_parts_never_take_more_than_they_are(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 1)
    project_id = pgwallet.create_project(
        conn, "bridge", commission_rate=Decimal("0.5"), fee_rate=Decimal("0.5")
    ).project_id
    escrow_id = pgwallet.pledge(conn, wallet_id, project_id, Decimal("0.03")).escrow_id
    parts = [pgwallet.release_escrow(conn, escrow_id, Decimal("0.01")) for _ in range(3)]
    taken = [(str(part.commission_amount), str(part.fee_amount)) for part in parts]
    assert taken == [("0.01", "0.00"), ("0.00", "0.01"), ("0.01", "0.00")]
    assert pgwallet.check_ledger(conn) == []


def test_parts_of_nothing_have_the_currency_s_decimals(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 10)
    project_id = pgwallet.create_project(conn, "bridge", commission_rate=0, fee_rate=0).project_id
    escrow_id = pgwallet.pledge(conn, wallet_id, project_id, 10).escrow_id
    pgwallet.release_escrow(conn, escrow_id, 4)
    row = conn.execute(
        """
        select released_amount, commission_amount, fee_amount, net_amount from pgwallet.escrow
        """
    ).fetchone()
    assert row is not None
    assert [str(amount) for amount in row] == ["4.00", "0.00", "0.00", "4.00"]
