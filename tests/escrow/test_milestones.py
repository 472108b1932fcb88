"""Releasing in parts: together they take what one release would have taken, if they can."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import pgwallet
from tests.concurrency.calls import fresh
from tests.effort import effort
from tests.ledger.calling import funded, project

pytestmark = pytest.mark.sql

CURRENCIES = {"EUR": 2, "JPY": 0, "KWD": 3}


def taken_of(release: pgwallet.Release) -> tuple[str, str, str]:
    return str(release.commission_amount), str(release.fee_amount), str(release.net_amount)


@dataclass(frozen=True, slots=True)
class Split:
    """The parts of an amount, two rates that sum to at most 1, and a fixed fee."""

    currency: str
    parts: list[Decimal]
    commission_rate: Decimal
    fee_rate: Decimal
    fee_fixed: Decimal

    def due(self, released: Decimal, rate: Decimal) -> Decimal:
        unit = Decimal(1).scaleb(-CURRENCIES[self.currency])
        return (released * rate).quantize(unit, ROUND_HALF_UP)

    def taken(self, parts: list[Decimal]) -> list[tuple[Decimal, Decimal]]:
        """Commission and fee of each part, worked out as docs/concepts/escrow.md says it."""
        released = commissions = fees = Decimal(0)
        taken = []
        for part in parts:
            released += part
            commission = self.due(released, self.commission_rate) - commissions
            commission = max(Decimal(0), min(part, commission))
            fee = self.due(released, self.fee_rate) + self.fee_fixed - fees
            fee = max(Decimal(0), min(part - commission, fee))
            taken.append((commission, fee))
            commissions += commission
            fees += fee
        return taken


@st.composite
def splits(draw: st.DrawFn) -> Split:
    currency = draw(st.sampled_from(sorted(CURRENCIES)))
    units = draw(st.lists(st.integers(1, 3) | st.integers(1, 10_000), min_size=1, max_size=8))
    commission = draw(st.integers(0, 10_000))
    fee = draw(st.integers(0, 10_000 - commission))
    unit = Decimal(1).scaleb(-CURRENCIES[currency])
    return Split(
        currency,
        [each * unit for each in units],
        Decimal(commission) / 10_000,
        Decimal(fee) / 10_000,
        draw(st.sampled_from([0, 0, 1, 30, 5_000])) * unit,
    )


LACKING = Split(
    "EUR",
    [Decimal("1.89"), Decimal("0.01")],
    Decimal("0.05"),
    Decimal("0.029"),
    Decimal(0),
)


@given(split=splits())
@example(split=LACKING)
@settings(
    max_examples=effort("PGWALLET_SPLITS", part=40, full=100),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_parts_sum_to_what_one_release_takes_where_the_last_is_large_enough(
    conn: psycopg.Connection, split: Split
) -> None:
    total = sum(split.parts, Decimal(0))
    with conn.transaction(force_rollback=True):
        wallet_id = funded(conn, fresh("ada"), 2 * total, split.currency)
        project_id = pgwallet.create_project(
            conn,
            fresh("bridge"),
            split.currency,
            split.commission_rate,
            split.fee_rate,
            10**9,
            fee_fixed=split.fee_fixed,
        ).project_id
        whole = pgwallet.release_escrow(
            conn, pgwallet.pledge(conn, wallet_id, project_id, total).escrow_id
        )
        escrow_id = pgwallet.pledge(conn, wallet_id, project_id, total).escrow_id
        parts = [pgwallet.release_escrow(conn, escrow_id, amount) for amount in split.parts]
        violations = pgwallet.check_ledger(conn)

    assert [(whole.commission_amount, whole.fee_amount)] == split.taken([total])
    assert [(part.commission_amount, part.fee_amount) for part in parts] == split.taken(split.parts)
    for part in parts:
        assert part.commission_amount + part.fee_amount + part.net_amount == part.released_amount
        assert part.net_amount >= 0
    assert sum(part.released_amount for part in parts) == total
    assert [part.status for part in parts] == ["locked"] * (len(parts) - 1) + ["released"]
    assert sum(part.commission_amount for part in parts) == whole.commission_amount
    lacking = whole.fee_amount - sum(part.fee_amount for part in parts)
    # Nothing lacks, or the last part went for what it could.
    assert lacking == 0 or (lacking > 0 and parts[-1].net_amount == 0)
    assert violations == []


def test_a_part_too_small_for_what_is_lacking_takes_what_it_can(conn: psycopg.Connection) -> None:
    """At the default rates, as the page about rounding has it."""
    wallet_id, project_id = funded(conn, "ada", 10), project(conn)
    whole, last, later = (
        pgwallet.pledge(conn, wallet_id, project_id, Decimal(amount)).escrow_id
        for amount in ("1.90", "1.90", "2.00")
    )
    assert taken_of(pgwallet.release_escrow(conn, whole)) == ("0.10", "0.06", "1.74")
    for escrow_id in (last, later):
        first = pgwallet.release_escrow(conn, escrow_id, Decimal("1.89"))
        assert taken_of(first) == ("0.09", "0.05", "1.75")
        assert taken_of(pgwallet.release_escrow(conn, escrow_id, Decimal("0.01"))) == (
            "0.01",
            "0.00",
            "0.00",
        )
    # A later part makes up for it: of 2.00 they are 0.10 and 0.06.
    assert taken_of(pgwallet.release_escrow(conn, later)) == ("0.00", "0.01", "0.09")


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
