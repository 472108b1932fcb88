"""What an open, a succeeded and a failed project allow: each cell of a table.

The table is the one in docs/concepts/escrow.md.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import funded, project, refused, value

pytestmark = pytest.mark.sql

Action = Callable[[psycopg.Connection, int, int, int], Any]

ACTIONS: dict[str, Action] = {
    "pledge": lambda conn, wallet, project, escrow: pgwallet.pledge(conn, wallet, project, 5),
    "pledge_many": lambda conn, wallet, project, escrow: pgwallet.pledge_many(
        conn, project, [wallet], [5]
    ),
    "release_escrow": lambda conn, wallet, project, escrow: pgwallet.release_escrow(conn, escrow),
    "refund_escrow": lambda conn, wallet, project, escrow: pgwallet.refund_escrow(conn, escrow),
    "release_escrows": lambda conn, wallet, project, escrow: pgwallet.release_escrows(
        conn, project
    ),
    "refund_escrows": lambda conn, wallet, project, escrow: pgwallet.refund_escrows(conn, project),
    "refund_expired_escrows": lambda conn, wallet, project, escrow: pgwallet.refund_expired_escrows(
        conn
    ),
    "payout": lambda conn, wallet, project, escrow: pgwallet.payout(conn, project, 1),
}

# What is refused, and how; every other cell is allowed.
REFUSED = {
    ("pledge", "succeeded"): "PW204",
    ("pledge", "failed"): "PW204",
    ("pledge_many", "succeeded"): "PW204",
    ("pledge_many", "failed"): "PW204",
    ("release_escrow", "failed"): "PW205",
    ("release_escrows", "open"): "PW205",
    ("release_escrows", "failed"): "PW205",
    ("refund_escrows", "open"): "PW205",
    ("refund_escrows", "succeeded"): "PW205",
}


@pytest.mark.parametrize("status", ["open", "succeeded", "failed"])
@pytest.mark.parametrize("action", ACTIONS)
def test_each_cell_of_the_table(conn: psycopg.Connection, action: str, status: str) -> None:
    wallet_id = funded(conn, "ada", 100)
    project_id = project(conn)
    pgwallet.release_escrow(conn, pgwallet.pledge(conn, wallet_id, project_id, 10).escrow_id)
    escrow_id = pgwallet.pledge(conn, wallet_id, project_id, 20).escrow_id
    if action == "refund_expired_escrows":
        conn.execute("update pgwallet.escrow set expires_at = now()")
    if status != "open":
        pgwallet.close_project(conn, project_id, status)

    if code := REFUSED.get((action, status)):
        with refused(conn, code) as said:
            ACTIONS[action](conn, wallet_id, project_id, escrow_id)
        assert str(project_id) in said[0].message
        return
    done = ACTIONS[action](conn, wallet_id, project_id, escrow_id)
    if action == "refund_expired_escrows":
        assert done.escrow_count == 1
    elif action in ("release_escrow", "release_escrows", "refund_escrow", "refund_escrows"):
        left = "select amount - released_amount - refunded_amount from pgwallet.escrow"
        assert value(conn, f"{left} where escrow_id = %s", escrow_id) == 0
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_the_same_outcome_again_changes_nothing(conn: psycopg.Connection, outcome: str) -> None:
    project_id = project(conn)
    first = pgwallet.close_project(conn, project_id, outcome)
    closed_at = value(conn, "select closed_at from pgwallet.project")
    assert pgwallet.close_project(conn, project_id, outcome) == first
    assert first.status == outcome
    assert value(conn, "select closed_at from pgwallet.project") == closed_at
    other = {"succeeded": "failed", "failed": "succeeded"}[outcome]
    with refused(conn, "PW204"):
        pgwallet.close_project(conn, project_id, other)


@pytest.mark.parametrize(
    ("released", "refunded", "status"),
    [
        (10, 0, "released"),
        (0, 10, "refunded"),
        (4, 6, "settled"),
        (4, 5, "locked"),
        (9, 0, "locked"),
        (0, 9, "locked"),
    ],
)
def test_the_status_of_an_escrow_says_what_became_of_it(
    conn: psycopg.Connection, released: int, refunded: int, status: str
) -> None:
    escrow_id = pgwallet.pledge(conn, funded(conn, "ada", 10), project(conn), 10).escrow_id
    if released:
        pgwallet.release_escrow(conn, escrow_id, released)
    if refunded:
        pgwallet.refund_escrow(conn, escrow_id, refunded)
    assert value(conn, "select status::text from pgwallet.escrow") == status
    if status != "locked":
        for again in (pgwallet.release_escrow, pgwallet.refund_escrow):
            with refused(conn, "PW202"):
                again(conn, escrow_id)
            with refused(conn, "PW202"):
                again(conn, escrow_id, 1)


def test_a_project_keeps_its_rates_and_limit_when_the_settings_change(
    conn: psycopg.Connection,
) -> None:
    wallet_id = funded(conn, "ada", 1000)
    old = project(conn, "old")
    conn.execute(
        "update pgwallet.settings set commission_rate = 0.5, fee_rate = 0.1, max_pledge = 50"
    )
    new = pgwallet.create_project(conn, "new")
    assert (new.commission_rate, new.fee_rate, new.max_pledge) == (
        Decimal("0.5"),
        Decimal("0.1"),
        Decimal(50),
    )
    release = pgwallet.release_escrow(conn, pgwallet.pledge(conn, wallet_id, old, 100).escrow_id)
    assert release.commission_amount == 5
    with refused(conn, "PW301"):
        pgwallet.pledge(conn, wallet_id, new.project_id, 51)
    release = pgwallet.release_escrow(
        conn, pgwallet.pledge(conn, wallet_id, new.project_id, 50).escrow_id
    )
    assert (release.commission_amount, release.fee_amount) == (Decimal(25), Decimal(5))


def test_the_same_project_again_is_returned_whatever_became_of_it(
    conn: psycopg.Connection,
) -> None:
    first = pgwallet.create_project(conn, "bridge", "USD", max_pledge=50)
    pgwallet.close_project(conn, first.project_id, "failed")
    again = pgwallet.create_project(conn, "bridge", "USD", max_pledge=50)
    assert (again.project_id, again.status) == (first.project_id, "failed")
    with refused(conn, "PW002"):
        pgwallet.create_project(conn, "bridge", "USD", max_pledge=51)
    assert first.project_id % 1024 == 0


def test_an_explicit_project_id_is_taken_and_never_given_again(conn: psycopg.Connection) -> None:
    wanted = 1024 * (value(conn, "select last_value from pgwallet.id_seq") + 3)
    assert project(conn, "wanted", project_id=wanted) == wanted
    assert project(conn, "wanted", project_id=wanted) == wanted
    others = [project(conn, f"project {n}") for n in range(10)]
    assert wanted not in others
    assert len(set(others)) == 10
    with refused(conn, "PW002"):
        pgwallet.create_project(conn, "another", project_id=wanted)


def test_a_payout_pays_no_more_than_was_released(conn: psycopg.Connection) -> None:
    project_id = project(conn)
    with refused(conn, "PW201"):
        pgwallet.payout(conn, project_id, 1)
    escrow_id = pgwallet.pledge(conn, funded(conn, "ada", 100), project_id, 100).escrow_id
    with refused(conn, "PW201"):
        pgwallet.payout(conn, project_id, 1)
    release = pgwallet.release_escrow(conn, escrow_id)
    with refused(conn, "PW201") as said:
        pgwallet.payout(conn, project_id, 93)
    assert str(release.net_amount) in (said[0].detail or "")
    assert pgwallet.payout(conn, project_id, 92).balance == release.net_amount - 92
    assert str(pgwallet.balance(conn, project_id)) == "0.10"
    assert pgwallet.check_ledger(conn) == []


def test_a_limit_has_no_more_decimals_than_the_currency(conn: psycopg.Connection) -> None:
    conn.execute("update pgwallet.settings set max_pledge = 100.555")
    limits = {
        currency: str(pgwallet.create_project(conn, currency, currency).max_pledge)
        for currency in ("EUR", "JPY", "KWD")
    }
    assert limits == {"EUR": "100.55", "JPY": "100", "KWD": "100.555"}


def test_a_currency_may_have_a_limit_of_its_own(conn: psycopg.Connection) -> None:
    conn.execute("update pgwallet.currency set max_pledge = 2500000000 where currency = 'VND'")
    before = pgwallet.create_project(conn, "before", "EUR")
    limits = {
        currency: pgwallet.create_project(conn, currency, currency).max_pledge
        for currency in ("EUR", "VND")
    }
    assert limits == {"EUR": before.max_pledge, "VND": 2500000000}
    assert pgwallet.create_project(conn, "small", "VND", max_pledge=5).max_pledge == 5
    conn.execute("update pgwallet.currency set max_pledge = 1 where currency = 'VND'")
    # It is fixed when the project is made.
    assert pgwallet.create_project(conn, "VND", "VND").max_pledge == 2500000000


@pytest.mark.parametrize("limit", ["0", "-1", "1e15", "0.5", "'NaN'"])
def test_a_currency_takes_no_limit_that_no_project_could_have(
    conn: psycopg.Connection, limit: str
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute(
            f"update pgwallet.currency set max_pledge = {limit} where currency = 'VND'".encode()
        )


def test_a_pledge_of_just_the_limit_is_taken(conn: psycopg.Connection) -> None:
    wallet_id, project_id = funded(conn, "ada", 100), project(conn, max_pledge=Decimal("10.50"))
    assert pgwallet.pledge(conn, wallet_id, project_id, Decimal("10.50")).amount == Decimal("10.50")
    (row,) = pgwallet.pledge_many(conn, project_id, [wallet_id], [Decimal("10.50")])
    assert row.amount == Decimal("10.50")
    for amount in (Decimal("10.51"), Decimal("11")):
        with refused(conn, "PW301"):
            pgwallet.pledge(conn, wallet_id, project_id, amount)
        with refused(conn, "PW301"):
            pgwallet.pledge_many(conn, project_id, [wallet_id], [amount])


def test_each_of_many_pledges_is_told_its_own_escrow(conn: psycopg.Connection) -> None:
    wallets = [funded(conn, owner, 100) for owner in ("ada", "bob", "eve")]
    amounts = [Decimal(10), Decimal(20), Decimal(30)]
    rows = pgwallet.pledge_many(conn, project(conn), wallets, amounts)
    for row, wallet_id, amount in zip(rows, wallets, amounts, strict=True):
        stored = conn.execute(
            "select wallet_id, amount from pgwallet.escrow where escrow_id = %s", [row.escrow_id]
        ).fetchone()
        assert stored == (wallet_id, amount)
        assert row.escrow_id % 1024 == wallet_id % 1024


@pytest.mark.parametrize("expires_at", [datetime(2999, 12, 31, 23, 59, tzinfo=UTC), None])
def test_a_pledge_keeps_when_it_expires(
    conn: psycopg.Connection, expires_at: datetime | None
) -> None:
    wallet_id, project_id = funded(conn, "ada", 10), project(conn)
    pledge = pgwallet.pledge(conn, wallet_id, project_id, 10, expires_at)
    stored = "select expires_at from pgwallet.escrow where escrow_id = %s"
    assert value(conn, stored, pledge.escrow_id) == expires_at
