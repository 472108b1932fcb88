"""Pledges that are changed or cancelled while their project is open."""

from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import by_hand, funded, project, refused, value

pytestmark = pytest.mark.sql


@pytest.fixture
def pledge(conn: psycopg.Connection) -> pgwallet.Pledge:
    """30 of the 100 of a wallet."""
    return pgwallet.pledge(conn, funded(conn, "ada", 100), project(conn, max_pledge=90), 30)


def shown(conn: psycopg.Connection, escrow_id: int) -> tuple[str, ...]:
    escrow = pgwallet.get_escrow(conn, escrow_id)
    return (
        escrow.status,
        *(str(each) for each in (escrow.amount, escrow.locked_amount, escrow.refunded_amount)),
    )


def test_the_wallet_pays_what_a_pledge_is_raised_by(
    conn: psycopg.Connection, pledge: pgwallet.Pledge
) -> None:
    changed = pgwallet.change_pledge(conn, pledge.escrow_id, Decimal("42.5"))
    assert (str(changed.amount), str(changed.balance), changed.status) == (
        *("42.50", "57.50"),
        "locked",
    )
    assert shown(conn, pledge.escrow_id) == ("locked", "42.50", "42.50", "0.00")
    (movement,) = pgwallet.statement(conn, pledge.wallet_id, newest_first=True, limit=1)
    assert (movement.kind, str(movement.amount)) == ("pledge_change", "-12.50")
    assert movement.escrow_id == pledge.escrow_id
    assert pgwallet.check_ledger(conn) == []


def test_the_wallet_gets_what_a_pledge_is_lowered_by(
    conn: psycopg.Connection, pledge: pgwallet.Pledge
) -> None:
    changed = pgwallet.change_pledge(conn, pledge.escrow_id, 10)
    assert (str(changed.amount), str(changed.balance)) == ("10.00", "90.00")
    # It is no refund: what was pledged is less.
    assert shown(conn, pledge.escrow_id) == ("locked", "10.00", "10.00", "0.00")
    assert pgwallet.get_project(conn, pledge.project_id).pledged_amount == 10
    assert pgwallet.check_ledger(conn) == []


def test_a_pledge_changes_as_often_as_its_backer_likes(
    conn: psycopg.Connection, pledge: pgwallet.Pledge
) -> None:
    before = value(conn, "select max(transaction_id) from pgwallet.transaction")
    for amount, left in ((35, 65), (5, 95), (90, 10), (30, 70)):
        assert pgwallet.change_pledge(conn, pledge.escrow_id, amount).balance == left
        assert pgwallet.check_ledger(conn, before) == []
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("amount", [40, 10, 30])
def test_a_replay_tells_what_was_then(
    conn: psycopg.Connection, pledge: pgwallet.Pledge, amount: int
) -> None:
    """Also of a change that moved nothing, whose balance no posting tells."""
    first = pgwallet.change_pledge(conn, pledge.escrow_id, amount, "once")
    pgwallet.deposit(conn, pledge.wallet_id, 7)
    pgwallet.change_pledge(conn, pledge.escrow_id, 50)
    again = pgwallet.change_pledge(conn, pledge.escrow_id, amount, "once")
    assert again.amount == amount
    assert again.balance == 100 - amount
    assert again.transaction_id == first.transaction_id
    assert again.replayed
    assert pgwallet.get_escrow(conn, pledge.escrow_id).amount == 50


def test_the_same_amount_moves_nothing_but_uses_its_key(
    conn: psycopg.Connection, pledge: pgwallet.Pledge
) -> None:
    same = pgwallet.change_pledge(conn, pledge.escrow_id, 30, "once")
    assert same.balance == 70
    assert same.replayed is False
    with refused(conn, "PW203"):
        pgwallet.change_pledge(conn, pledge.escrow_id, 31, "once")
    assert pgwallet.get_transaction(conn, same.transaction_id).posting_count == 0
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("many", [False, True])
def test_the_pledge_is_replayed_as_it_was_before_it_changed(
    conn: psycopg.Connection, many: bool
) -> None:
    wallet_id, project_id = funded(conn, "ada", 100), project(conn)

    def pledge() -> pgwallet.Pledge | pgwallet.PledgeRow:
        if not many:
            return pgwallet.pledge(conn, wallet_id, project_id, 30, idempotency_key="once")
        return pgwallet.pledge_many(conn, project_id, [wallet_id], [30], ["once"])[0]

    first = pledge()
    pgwallet.change_pledge(conn, first.escrow_id, 45)
    again = pledge()
    assert (str(again.amount), str(again.balance), again.replayed) == ("30.00", "70.00", True)
    assert again.escrow_id == first.escrow_id
    assert pgwallet.balance(conn, wallet_id) == 55


def test_a_pledge_is_never_lowered_below_what_was_released_and_refunded(
    conn: psycopg.Connection, pledge: pgwallet.Pledge
) -> None:
    pgwallet.release_escrow(conn, pledge.escrow_id, 12)
    pgwallet.refund_escrow(conn, pledge.escrow_id, 5)
    with refused(conn, "PW206") as said:
        pgwallet.change_pledge(conn, pledge.escrow_id, Decimal("16.99"))
    assert "17.00" in (said[0].hint or "")
    changed = pgwallet.change_pledge(conn, pledge.escrow_id, 17)
    assert changed.status == "settled"
    assert pgwallet.get_escrow(conn, pledge.escrow_id).settled_by == changed.transaction_id
    assert pgwallet.check_ledger(conn) == []


def test_what_is_settled_is_locked_again_when_it_is_raised(
    conn: psycopg.Connection, pledge: pgwallet.Pledge
) -> None:
    pgwallet.cancel_pledge(conn, pledge.escrow_id)
    raised = pgwallet.change_pledge(conn, pledge.escrow_id, 35)
    assert raised.status == "locked"
    assert raised.balance == 95
    escrow = pgwallet.get_escrow(conn, pledge.escrow_id)
    assert escrow.locked_amount == 5
    assert escrow.settled_by is None
    assert pgwallet.check_ledger(conn) == []


def test_a_change_is_held_to_the_limit_of_a_pledge_and_to_what_the_wallet_has(
    conn: psycopg.Connection, pledge: pgwallet.Pledge
) -> None:
    with refused(conn, "PW301"):
        pgwallet.change_pledge(conn, pledge.escrow_id, Decimal("90.01"))
    pgwallet.withdraw(conn, pledge.wallet_id, 60)
    with refused(conn, "PW201") as said:
        pgwallet.change_pledge(conn, pledge.escrow_id, Decimal("40.01"))
    assert "10.01" in (said[0].detail or "")
    pgwallet.change_pledge(conn, pledge.escrow_id, 40)
    conn.execute(
        "update pgwallet.account set credit_limit = 5 where account_id = %s", [pledge.wallet_id]
    )
    with refused(conn, "PW201"):
        pgwallet.change_pledge(conn, pledge.escrow_id, Decimal("45.01"))
    assert pgwallet.change_pledge(conn, pledge.escrow_id, 45).balance == -5


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("update pgwallet.account set frozen_at = now() where account_id = {wallet_id}", "PW208"),
        ("update pgwallet.account set closed_at = now() where account_id = {wallet_id}", "PW209"),
        ("update pgwallet.project set frozen_at = now() where project_id = {project_id}", "PW208"),
    ],
    ids=["frozen", "closed", "project"],
)
def test_what_is_frozen_or_closed_only_takes_back(
    conn: psycopg.Connection, pledge: pgwallet.Pledge, state: str, code: str
) -> None:
    ids = {"wallet_id": pledge.wallet_id, "project_id": pledge.project_id}
    by_hand(conn, state.format(**ids))
    with refused(conn, code):
        pgwallet.change_pledge(conn, pledge.escrow_id, Decimal("30.01"))
    assert pgwallet.change_pledge(conn, pledge.escrow_id, 20).balance == 80
    assert pgwallet.cancel_pledge(conn, pledge.escrow_id).balance == 100


def test_an_expired_pledge_is_not_changed_but_can_be_cancelled(conn: psycopg.Connection) -> None:
    wallet_id, project_id = funded(conn, "ada", 100), project(conn)
    escrow_id = pgwallet.pledge(conn, wallet_id, project_id, 30).escrow_id
    conn.execute(
        "update pgwallet.escrow set expires_at = now() - interval '1 second' where escrow_id = %s",
        [escrow_id],
    )
    for amount in (20, 40):
        with refused(conn, "PW202"):
            pgwallet.change_pledge(conn, escrow_id, amount)
    assert pgwallet.cancel_pledge(conn, escrow_id).status == "expired"
    with refused(conn, "PW202"):
        pgwallet.change_pledge(conn, escrow_id, 40)


def test_to_cancel_gives_back_what_is_left(
    conn: psycopg.Connection, pledge: pgwallet.Pledge
) -> None:
    pgwallet.release_escrow(conn, pledge.escrow_id, 10)
    cancelled = pgwallet.cancel_pledge(conn, pledge.escrow_id, "once")
    assert (str(cancelled.refunded_amount), str(cancelled.balance)) == ("20.00", "90.00")
    assert cancelled.status == "settled"
    again = pgwallet.cancel_pledge(conn, pledge.escrow_id, "once")
    assert (again.transaction_id, again.replayed) == (cancelled.transaction_id, True)
    with refused(conn, "PW202"):
        pgwallet.cancel_pledge(conn, pledge.escrow_id)
    with refused(conn, "PW203"):
        pgwallet.refund_escrow(conn, pledge.escrow_id, idempotency_key="once")
    assert pgwallet.check_ledger(conn) == []


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_a_closed_project_s_pledges_stay_as_they_are(
    conn: psycopg.Connection, pledge: pgwallet.Pledge, outcome: str
) -> None:
    pgwallet.close_project(conn, pledge.project_id, outcome)
    with refused(conn, "PW204") as said:
        pgwallet.cancel_pledge(conn, pledge.escrow_id)
    assert "operator" in (said[0].hint or "")
    for amount in (20, 30, 40):
        with refused(conn, "PW204"):
            pgwallet.change_pledge(conn, pledge.escrow_id, amount)
    assert pgwallet.refund_escrow(conn, pledge.escrow_id).refunded_amount == 30
