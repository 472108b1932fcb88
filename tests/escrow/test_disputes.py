"""A dispute holds what is left of an escrow until somebody resolves it."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import call, everything, funded, project, refused, value

pytestmark = pytest.mark.sql


@pytest.fixture
def pledge(conn: psycopg.Connection) -> pgwallet.Pledge:
    """30 of the 100 of a wallet, of which 10 were released; 15 more are pledged otherwise."""
    wallet_id, project_id = funded(conn, "ada", 100), project(conn)
    pledge = pgwallet.pledge(conn, wallet_id, project_id, 30)
    pgwallet.pledge(conn, wallet_id, project_id, 15)
    pgwallet.release_escrow(conn, pledge.escrow_id, 10)
    return pledge


def test_a_dispute_holds_what_is_left(conn: psycopg.Connection, pledge: pgwallet.Pledge) -> None:
    dispute = pgwallet.dispute_escrow(conn, pledge.escrow_id, "the card was stolen")
    assert (dispute.status, str(dispute.disputed_amount)) == ("disputed", "20.00")
    state = pgwallet.get_project(conn, pledge.project_id)
    assert (state.escrow_count, state.locked_count, state.disputed_count) == (2, 1, 1)
    assert (str(state.locked_amount), str(state.disputed_amount)) == ("35.00", "20.00")
    escrow_account = value(
        conn,
        "select escrow_account_id from pgwallet.project where project_id = %s",
        pledge.project_id,
    )
    assert pgwallet.balance(conn, escrow_account) == 35
    row = conn.execute(
        "select locked_count, disputed_count, locked_amount, disputed_amount, total_amount "
        "from pgwallet.wallet_summary where wallet_id = %s",
        [pledge.wallet_id],
    ).fetchone()
    assert row is not None
    assert [str(each) for each in row] == ["1", "1", "35.00", "20.00", "90.00"]
    assert pgwallet.check_ledger(conn) == []


def test_a_dispute_is_an_event_with_its_reason(
    conn: psycopg.Connection, pledge: pgwallet.Pledge
) -> None:
    pgwallet.dispute_escrow(conn, pledge.escrow_id, "the card was stolen")
    before = everything(conn)
    # The first reason stays.
    again = pgwallet.dispute_escrow(conn, pledge.escrow_id, "another reason")
    assert (again.status, everything(conn)) == ("disputed", before)
    pgwallet.resolve_dispute(conn, pledge.escrow_id, "rejected")
    began, ended = pgwallet.list_events(conn, pledge.escrow_id)
    assert (began.kind, began.reason) == ("dispute_escrow", "the card was stolen")
    assert (began.before, began.after) == ({"status": "locked"}, {"status": "disputed"})
    assert (ended.kind, ended.reason) == ("resolve_dispute", None)
    assert (ended.before, ended.after) == (
        {"status": "disputed"},
        {"status": "locked", "outcome": "rejected"},
    )


@pytest.mark.parametrize(
    "act",
    [
        lambda conn, escrow_id: pgwallet.release_escrow(conn, escrow_id),
        lambda conn, escrow_id: pgwallet.release_escrow(conn, escrow_id, 1),
        lambda conn, escrow_id: pgwallet.release_escrow(conn, escrow_id, 21),
        lambda conn, escrow_id: pgwallet.refund_escrow(conn, escrow_id),
        lambda conn, escrow_id: pgwallet.refund_escrow(conn, escrow_id, 21),
        lambda conn, escrow_id: pgwallet.cancel_pledge(conn, escrow_id),
        lambda conn, escrow_id: pgwallet.change_pledge(conn, escrow_id, 31),
        lambda conn, escrow_id: pgwallet.change_pledge(conn, escrow_id, 29),
    ],
)
def test_nothing_is_taken_out_of_what_is_disputed(
    conn: psycopg.Connection,
    pledge: pgwallet.Pledge,
    act: Callable[[psycopg.Connection, int], Any],
) -> None:
    pgwallet.dispute_escrow(conn, pledge.escrow_id, "the card was stolen")
    with refused(conn, "PW202") as said:
        act(conn, pledge.escrow_id)
    assert "resolve_dispute" in (said[0].hint or "")


def test_what_was_released_before_can_go_back_meanwhile(
    conn: psycopg.Connection, pledge: pgwallet.Pledge
) -> None:
    pgwallet.dispute_escrow(conn, pledge.escrow_id, "the card was stolen")
    assert pgwallet.refund_release(conn, pledge.escrow_id).status == "disputed"
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize(
    ("outcome", "batch"), [("succeeded", "release_escrows"), ("failed", "refund_escrows")]
)
@pytest.mark.parametrize("wait", [False, True])
def test_batches_leave_it_out(
    conn: psycopg.Connection, pledge: pgwallet.Pledge, outcome: str, batch: str, wait: bool
) -> None:
    pgwallet.dispute_escrow(conn, pledge.escrow_id, "the card was stolen")
    pgwallet.close_project(conn, pledge.project_id, outcome)
    (row,) = call(conn, batch, pledge.project_id, p_wait=wait)
    assert row["escrow_count"] == 1
    warnings: list[str] = []
    conn.add_notice_handler(lambda said: warnings.append(said.message_primary or ""))
    (row,) = call(conn, batch, pledge.project_id, p_wait=wait)
    assert row["escrow_count"] == 0
    assert warnings == [
        f"project {pledge.project_id}: 1 escrows are disputed and stay as they are, 20.00 in all"
    ] * (1 if wait else 0)
    # Rejected, it goes the way of the others.
    pgwallet.resolve_dispute(conn, pledge.escrow_id, "rejected")
    (row,) = call(conn, batch, pledge.project_id, p_wait=wait)
    assert row["escrow_count"] == 1
    assert pgwallet.check_ledger(conn) == []


def test_expiry_leaves_it_out(conn: psycopg.Connection, pledge: pgwallet.Pledge) -> None:
    conn.execute("update pgwallet.escrow set expires_at = now() - interval '1 second'")
    pgwallet.dispute_escrow(conn, pledge.escrow_id, "the card was stolen")
    assert pgwallet.refund_expired_escrows(conn).escrow_count == 1
    assert pgwallet.get_escrow(conn, pledge.escrow_id).status == "disputed"
    pgwallet.resolve_dispute(conn, pledge.escrow_id, "rejected")
    assert pgwallet.refund_expired_escrows(conn).escrow_count == 1


def test_an_upheld_dispute_refunds_what_is_left(
    conn: psycopg.Connection, pledge: pgwallet.Pledge
) -> None:
    pgwallet.dispute_escrow(conn, pledge.escrow_id, "the card was stolen")
    resolved = pgwallet.resolve_dispute(conn, pledge.escrow_id, "upheld")
    assert (str(resolved.refunded_amount), str(resolved.balance)) == ("20.00", "75.00")
    assert resolved.status == "settled"
    escrow = pgwallet.get_escrow(conn, pledge.escrow_id)
    assert escrow.settled_by == resolved.transaction_id
    assert resolved.transaction_id is not None
    assert pgwallet.get_transaction(conn, resolved.transaction_id).kind == "refund"
    assert pgwallet.check_ledger(conn) == []


def test_a_rejected_dispute_locks_it_again(
    conn: psycopg.Connection, pledge: pgwallet.Pledge
) -> None:
    pgwallet.dispute_escrow(conn, pledge.escrow_id, "the card was stolen")
    resolved = pgwallet.resolve_dispute(conn, pledge.escrow_id, "rejected")
    assert (str(resolved.refunded_amount), resolved.transaction_id) == ("0.00", None)
    assert resolved.status == "locked"
    assert resolved.balance == 55
    assert pgwallet.release_escrow(conn, pledge.escrow_id).released_amount == 20
    assert pgwallet.check_ledger(conn) == []


def test_only_what_is_disputed_is_resolved_and_once(
    conn: psycopg.Connection, pledge: pgwallet.Pledge
) -> None:
    with refused(conn, "PW202"):
        pgwallet.resolve_dispute(conn, pledge.escrow_id, "upheld")
    pgwallet.dispute_escrow(conn, pledge.escrow_id, "the card was stolen")
    pgwallet.resolve_dispute(conn, pledge.escrow_id, "upheld")
    with refused(conn, "PW202"):
        pgwallet.resolve_dispute(conn, pledge.escrow_id, "upheld")
    with refused(conn, "PW202"):
        pgwallet.dispute_escrow(conn, pledge.escrow_id, "late")


def test_the_disputed_are_listed(conn: psycopg.Connection, pledge: pgwallet.Pledge) -> None:
    pgwallet.dispute_escrow(conn, pledge.escrow_id, "the card was stolen")
    for wallet_id, project_id in (
        (pledge.wallet_id, None),
        (None, pledge.project_id),
        (None, None),
    ):
        found = pgwallet.list_escrows(conn, wallet_id, project_id, "disputed")
        assert [each.escrow_id for each in found] == [pledge.escrow_id]
        assert len(pgwallet.list_escrows(conn, wallet_id, project_id)) == 2


@pytest.mark.parametrize("way", ["cancel_pledge", "resolve_dispute"])
def test_what_went_back_before_does_not_go_back_again(conn: psycopg.Connection, way: str) -> None:
    wallet_id, project_id = funded(conn, "ada", 10), project(conn)
    escrow_id = pgwallet.pledge(conn, wallet_id, project_id, 10).escrow_id
    pgwallet.refund_escrow(conn, escrow_id, 4)
    if way == "resolve_dispute":
        call(conn, "dispute_escrow", escrow_id, "stolen")
        (back,) = call(conn, way, escrow_id, "upheld")
    else:
        (back,) = call(conn, way, escrow_id)
    told = [str(back[name]) for name in ("refunded_amount", "balance", "status")]
    assert told == ["6.00", "10.00", "refunded"]
    assert pgwallet.check_ledger(conn) == []
