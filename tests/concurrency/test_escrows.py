"""Escrows that several sessions settle, one by one or in batches, at the same time."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel

import pgwallet
from tests.concurrency.calls import assert_books, fresh, fresh_project
from tests.concurrency.sessions import ALL_LEVELS, all_blocked, at, blocked
from tests.conftest import Connect
from tests.ledger.calling import call, funded, project, value

pytestmark = pytest.mark.sql

Settle = Callable[[psycopg.Connection, int, Any], Any]
SETTLE: dict[str, Settle] = {
    "release": lambda conn, escrow_id, amount: pgwallet.release_escrow(conn, escrow_id, amount),
    "refund": lambda conn, escrow_id, amount: pgwallet.refund_escrow(conn, escrow_id, amount),
}
BATCHES = pytest.mark.parametrize(
    ("batch", "outcome"), [("release_escrows", "succeeded"), ("refund_escrows", "failed")]
)


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


def pledged(conn: psycopg.Connection, count: int) -> tuple[int, int, list[int]]:
    """A wallet that has nothing left, its pledges of 10 to a project, and their escrows.

    The project pays a tenth as commission and a tenth as fee.
    """
    wallet_id = funded(conn, fresh("owner"), 10 * count)
    project_id = fresh_project(conn)
    rows = pgwallet.pledge_many(conn, project_id, [wallet_id] * count, [10] * count)
    return wallet_id, project_id, [row.escrow_id for row in rows]


def let_expire(conn: psycopg.Connection, project_id: int) -> None:
    conn.execute(
        "update pgwallet.escrow set expires_at = now() where project_id = %s", [project_id]
    )


def settled_once(conn: psycopg.Connection, project_id: int, count: int) -> bool:
    """Whether each of the escrows of 10 was released or refunded, once and as a whole."""
    settled = value(
        conn,
        """
        select count(*) filter (where released_amount = 10 and refunded_amount = 0)
               + count(*) filter (where released_amount = 0 and refunded_amount = 10)
        from pgwallet.escrow
        where project_id = %s and status <> 'locked'
        """,
        project_id,
    )
    return bool(settled == count)


@pytest.mark.parametrize("level", ALL_LEVELS)
@pytest.mark.parametrize("second_name", SETTLE)
@pytest.mark.parametrize("first_name", SETTLE)
def test_an_escrow_is_released_or_refunded_but_never_both(
    connect: Connect, first_name: str, second_name: str, level: IsolationLevel
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, project_id, (escrow_id,) = pledged(observer, 1)
    at(second, level)
    SETTLE[first_name](first, escrow_id, None)
    with blocked(
        second, observer, partial(SETTLE[second_name], second, escrow_id, None)
    ) as waiting:
        first.commit()
        expected = (
            pgwallet.EscrowNotLocked
            if level == IsolationLevel.READ_COMMITTED
            else psycopg.errors.SerializationFailure
        )
        with pytest.raises(expected):
            waiting.result()
    second.rollback()
    assert settled_once(observer, project_id, 1)
    released = first_name == "release"
    assert_books(observer, {wallet_id: 0 if released else 10, project_id: 8 if released else 0})


@pytest.mark.parametrize("second_name", SETTLE)
@pytest.mark.parametrize("first_name", SETTLE)
def test_parts_of_an_escrow_never_add_up_to_more_than_it(
    connect: Connect, first_name: str, second_name: str
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, project_id, (escrow_id,) = pledged(observer, 1)
    SETTLE[first_name](first, escrow_id, 6)
    with blocked(second, observer, partial(SETTLE[second_name], second, escrow_id, 6)) as waiting:
        first.commit()
        with pytest.raises(pgwallet.EscrowAmountExceeded):
            waiting.result()
    second.rollback()

    SETTLE[first_name](first, escrow_id, 1)
    with blocked(
        second, observer, partial(SETTLE[second_name], second, escrow_id, None)
    ) as waiting:
        first.commit()
        waiting.result()  # what is left by now: 3
    second.commit()
    parts = [(first_name, 7), (second_name, 3)]
    refunded = sum(amount for name, amount in parts if name == "refund")
    assert_books(observer, {wallet_id: refunded, project_id: (10 - refunded) * Decimal("0.8")})


@pytest.mark.parametrize("level", ALL_LEVELS)
def test_a_release_waits_for_a_refund_of_what_has_expired(
    connect: Connect, level: IsolationLevel
) -> None:
    refunding, releasing, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, project_id, (escrow_id, _) = pledged(observer, 2)
    let_expire(observer, project_id)
    at(releasing, level)
    assert pgwallet.refund_expired_escrows(refunding).escrow_count == 2
    with blocked(
        releasing, observer, lambda: pgwallet.release_escrow(releasing, escrow_id)
    ) as waiting:
        refunding.commit()
        with pytest.raises((pgwallet.EscrowNotLocked, psycopg.errors.SerializationFailure)):
            waiting.result()
    releasing.rollback()
    assert settled_once(observer, project_id, 2)
    assert_books(observer, {wallet_id: 20, project_id: 0})


def test_a_refund_of_what_has_expired_leaves_out_what_is_being_refunded(connect: Connect) -> None:
    refunding, job = connect(), connect(autocommit=True)
    wallet_id, project_id, (escrow_id, _) = pledged(job, 2)
    let_expire(job, project_id)
    refunding.execute("select from pgwallet.escrow where escrow_id = %s for update", [escrow_id])
    job.execute("set lock_timeout = '20s'")
    assert pgwallet.refund_expired_escrows(job).escrow_count == 1
    pgwallet.refund_escrow(refunding, escrow_id)
    refunding.commit()
    assert pgwallet.refund_expired_escrows(job).escrow_count == 0
    assert settled_once(job, project_id, 2)
    assert_books(job, {wallet_id: 20})


def test_two_refunds_of_what_has_expired_share_the_work(connect: Connect) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, project_id, escrow_ids = pledged(observer, 6)
    other_wallet_id = funded(observer, fresh("owner"), 20)
    pgwallet.pledge_many(observer, project_id, [other_wallet_id] * 2, [10] * 2)
    let_expire(observer, project_id)
    assert pgwallet.refund_expired_escrows(first, 4).last_escrow_id == escrow_ids[3]
    assert pgwallet.refund_expired_escrows(second).escrow_count == 2
    first.commit()
    second.commit()
    assert pgwallet.refund_expired_escrows(observer).escrow_count == 2
    assert settled_once(observer, project_id, 8)
    assert_books(observer, {wallet_id: 60, other_wallet_id: 20})


def test_a_payout_leaves_what_the_release_it_waited_for_added(connect: Connect) -> None:
    releasing, paying, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, project_id, escrow_ids = pledged(observer, 2)
    pgwallet.release_escrow(observer, escrow_ids[0])
    pgwallet.release_escrow(releasing, escrow_ids[1], 5)
    with blocked(paying, observer, lambda: pgwallet.payout(paying, project_id, 8)) as waiting:
        pgwallet.release_escrow(releasing, escrow_ids[1])
        releasing.commit()
        assert waiting.result().balance == 8
    paying.commit()
    assert_books(observer, {wallet_id: 0, project_id: 8})


@pytest.mark.parametrize("name", ["release_escrow", "release_escrows"])
def test_a_release_adds_to_what_a_payout_left(connect: Connect, name: str) -> None:
    paying, releasing, observer = connect(), connect(), connect(autocommit=True)
    _, project_id, escrow_ids = pledged(observer, 3)
    pgwallet.close_project(observer, project_id, "succeeded")
    pgwallet.release_escrow(observer, escrow_ids[0])
    pgwallet.payout(paying, project_id, 3)
    release: dict[str, Callable[[], Any]] = {
        "release_escrow": lambda: pgwallet.release_escrow(releasing, escrow_ids[1]),
        "release_escrows": lambda: pgwallet.release_escrows(releasing, project_id, 1),
    }
    with blocked(releasing, observer, release[name]) as waiting:
        pgwallet.payout(paying, project_id, 4)
        paying.commit()
        waiting.result()
    releasing.commit()
    assert_books(observer, {project_id: 8 - 7 + 8})


@pytest.mark.parametrize("level", ALL_LEVELS)
def test_proceeds_are_paid_out_once(connect: Connect, level: IsolationLevel) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    _, project_id, (escrow_id,) = pledged(observer, 1)
    pgwallet.release_escrow(observer, escrow_id)
    at(second, level)
    pgwallet.payout(first, project_id, 5)
    with blocked(second, observer, lambda: pgwallet.payout(second, project_id, 5)) as waiting:
        first.commit()
        expected = (
            pgwallet.InsufficientFunds
            if level == IsolationLevel.READ_COMMITTED
            else psycopg.errors.SerializationFailure
        )
        with pytest.raises(expected):
            waiting.result()
    second.rollback()
    assert_books(observer, {project_id: 3})


def test_four_workers_at_once_release_different_escrows(connect: Connect) -> None:
    observer = connect(autocommit=True)
    first, *others = (connect() for _ in range(4))
    wallet_id, project_id, escrow_ids = pledged(observer, 20)
    pgwallet.close_project(observer, project_id, "succeeded")

    def work(conn: psycopg.Connection) -> Any:
        done = pgwallet.release_escrows(conn, project_id, 5)
        conn.commit()
        return done

    batches: list[Any] = [pgwallet.release_escrows(first, project_id, 5)]
    # Each holds its escrows by now and waits for the account that they are paid to.
    with all_blocked(observer, [(conn, partial(work, conn)) for conn in others]) as waiting:
        first.commit()
        batches += [future.result() for future in waiting]
    assert [each.escrow_count for each in batches] == [5, 5, 5, 5]
    assert [each.last_escrow_id for each in batches] == escrow_ids[4::5]
    assert settled_once(observer, project_id, 20)
    assert [
        (each.gross_amount, each.commission_amount, each.fee_amount, each.net_amount)
        for each in batches
    ] == [(50, 5, 5, 40)] * 4
    assert_books(observer, {wallet_id: 0, project_id: 160})


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_two_that_settle_a_project_wait_for_the_same_escrow_and_one_settles_it(
    connect: Connect, outcome: str
) -> None:
    holder, observer = connect(), connect(autocommit=True)
    workers = [connect(autocommit=True) for _ in range(2)]
    wallet_id, project_id, escrow_ids = pledged(observer, 7)
    pgwallet.close_project(observer, project_id, outcome)
    holder.execute("select from pgwallet.escrow where escrow_id = %s for update", [escrow_ids[3]])

    def settle(conn: psycopg.Connection) -> list[int]:
        if outcome == "succeeded":
            return [each.escrow_count for each in pgwallet.release_project(conn, project_id, 2)]
        return [each.escrow_count for each in pgwallet.refund_project(conn, project_id, 2)]

    with all_blocked(observer, [(conn, partial(settle, conn)) for conn in workers]) as waiting:
        locked = "select count(*) from pgwallet.escrow where project_id = %s and status = 'locked'"
        assert value(observer, locked, project_id) == 1
        holder.rollback()
        first, second = (future.result() for future in waiting)
    assert sum(first) + sum(second) == 7
    assert settled_once(observer, project_id, 7)
    released = outcome == "succeeded"
    assert_books(observer, {wallet_id: 0 if released else 70, project_id: 56 if released else 0})


@pytest.mark.parametrize(
    "held",
    [
        "select from pgwallet.escrow where project_id = {project}",
        "select from pgwallet.account where account_id in ({project}, {wallet})",
    ],
    ids=["escrows", "accounts"],
)
@pytest.mark.parametrize(
    ("procedure", "outcome"), [("release_project", "succeeded"), ("refund_project", "failed")]
)
def test_a_procedure_closes_the_project_and_waits_for_what_others_hold(
    connect: Connect, procedure: str, outcome: str, held: str
) -> None:
    holder, settling, observer = connect(), connect(autocommit=True), connect(autocommit=True)
    wallet_id = funded(observer, f"{procedure} {held}", 20)
    project_id = project(observer, f"{procedure} {held}")
    for _ in range(2):
        pgwallet.pledge(observer, wallet_id, project_id, 10)
    holder.execute(f"{held} for update".format(project=project_id, wallet=wallet_id).encode())
    call = f"call pgwallet.{procedure}({project_id})".encode()
    with blocked(settling, observer, lambda: settling.execute(call)) as settled:
        status = "select status::text from pgwallet.project where project_id = %s"
        assert value(observer, status, project_id) == outcome
        holder.rollback()
        settled.result()
    locked = "select count(*) from pgwallet.escrow where project_id = %s and status = 'locked'"
    assert value(observer, locked, project_id) == 0


@BATCHES
def test_a_batch_that_waits_waits_for_its_own_escrows_alone(
    connect: Connect, batch: str, outcome: str
) -> None:
    holder, conn = connect(), connect(autocommit=True)
    _, project_id, escrow_ids = pledged(conn, 4)
    pgwallet.close_project(conn, project_id, outcome)
    holder.execute(
        "select from pgwallet.escrow where escrow_id = any (%s) for update",
        [[escrow_ids[0], escrow_ids[3]]],
    )
    conn.execute("set lock_timeout = '20s'")
    (done,) = call(conn, batch, project_id, 2, escrow_ids[0], True)
    assert (done["escrow_count"], done["last_escrow_id"]) == (2, escrow_ids[2])


@BATCHES
def test_a_batch_waits_past_escrows_in_which_nothing_is_left(
    connect: Connect, batch: str, outcome: str
) -> None:
    holder, settling, observer = connect(), connect(autocommit=True), connect(autocommit=True)
    _, project_id, escrow_ids = pledged(observer, 3)
    pgwallet.refund_escrow(observer, escrow_ids[0])
    pgwallet.close_project(observer, project_id, outcome)
    holder.execute("select from pgwallet.escrow where escrow_id = %s for update", [escrow_ids[1]])
    with blocked(
        settling, observer, lambda: call(settling, batch, project_id, 1, None, True)
    ) as waiting:
        holder.rollback()
        (done,) = waiting.result()
    assert (done["escrow_count"], done["last_escrow_id"]) == (1, escrow_ids[1])


def test_a_pledge_repeated_after_its_expiry_waits_for_the_first_and_replays(
    connect: Connect,
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, project_id = funded(observer, fresh("owner"), 10), fresh_project(observer)
    key = fresh("key")

    def pledge(conn: psycopg.Connection, expires_at: str) -> dict[str, Any]:
        (row,) = call(
            conn,
            "pledge",
            p_wallet_id=wallet_id,
            p_project_id=project_id,
            p_amount=10,
            p_expires_at=expires_at,
            p_idempotency_key=key,
        )
        return row

    done = pledge(first, "2999-01-01 00:00:00+00")
    with blocked(second, observer, partial(pledge, second, "2001-01-01 00:00:00+00")) as waiting:
        first.commit()
        assert waiting.result() == {**done, "replayed": True}
    second.commit()
