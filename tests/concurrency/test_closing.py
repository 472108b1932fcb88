"""Projects that several sessions close, settle and pledge to at the same time."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel

import pgwallet
from tests.concurrency.calls import fresh
from tests.concurrency.sessions import HIGHER, at, at_once, blocked
from tests.conftest import Connect
from tests.ledger.calling import call, funded, project, value

pytestmark = pytest.mark.sql


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


def pledges(conn: psycopg.Connection, count: int) -> tuple[int, int, list[int]]:
    wallet_id = funded(conn, fresh("ada"), count)
    project_id = project(conn, fresh("project"))
    rows = pgwallet.pledge_many(conn, project_id, [wallet_id] * count, [1] * count)
    return wallet_id, project_id, [row.escrow_id for row in rows]


def test_two_releases_of_one_project_release_each_escrow_once(connect: Connect) -> None:
    setup = connect(autocommit=True)
    _, project_id, _ = pledges(setup, 300)
    workers = [connect(autocommit=True) for _ in range(2)]
    batches = at_once(
        [
            lambda conn=conn: list(pgwallet.release_project(conn, project_id, 20))  # type: ignore[misc]
            for conn in workers
        ]
    )
    assert sum(batch.escrow_count for each in batches for batch in each) == 300
    assert sum(batch.gross_amount for each in batches for batch in each) == 300
    unreleased = (
        "select count(*) from pgwallet.escrow where project_id = %s and status <> 'released'"
    )
    assert value(setup, unreleased, project_id) == 0
    assert pgwallet.check_ledger(setup) == []


def test_the_two_procedures_side_by_side_release_each_escrow_once(connect: Connect) -> None:
    setup = connect(autocommit=True)
    _, project_id, _ = pledges(setup, 100)
    at_once(
        [
            lambda conn=conn: conn.execute(  # type: ignore[misc]
                "call pgwallet.release_project(%s, 10)", [project_id]
            )
            for conn in (connect(autocommit=True), connect(autocommit=True))
        ]
    )
    released = "select sum(released_amount) from pgwallet.escrow where project_id = %s"
    assert value(setup, released, project_id) == 100
    assert pgwallet.check_ledger(setup) == []


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_four_workers_settle_each_escrow_once(connect: Connect, outcome: str) -> None:
    setup = connect(autocommit=True)
    _, project_id, escrow_ids = pledges(setup, 200)
    pgwallet.close_project(setup, project_id, outcome)

    def work(conn: psycopg.Connection) -> int:
        count = 0
        while True:
            if outcome == "succeeded":
                taken = pgwallet.release_escrows(conn, project_id, 7).escrow_count
            else:
                taken = pgwallet.refund_escrows(conn, project_id, 7).escrow_count
            if not taken:
                return count
            count += taken

    workers = [connect(autocommit=True) for _ in range(4)]
    counts = at_once([lambda conn=conn: work(conn) for conn in workers])  # type: ignore[misc]
    # A worker that finds the rest held by others goes home early; what is left is never wrong.
    assert sum(counts) + work(setup) == len(escrow_ids)
    column = "released_amount" if outcome == "succeeded" else "refunded_amount"
    settled = f"select sum({column}) from pgwallet.escrow where project_id = %s"
    assert value(setup, settled, project_id) == 200
    assert pgwallet.check_ledger(setup) == []


@pytest.mark.parametrize(
    ("procedure", "outcome"), [("release_project", "succeeded"), ("refund_project", "failed")]
)
def test_a_project_is_closed_for_everybody_before_its_first_batch(
    connect: Connect, procedure: str, outcome: str
) -> None:
    holder, working, observer = connect(), connect(autocommit=True), connect(autocommit=True)
    _, project_id, _ = pledges(observer, 2)
    holder.execute("lock table pgwallet.posting in share mode")
    with blocked(
        working,
        observer,
        lambda: working.execute(f"call pgwallet.{procedure}({project_id})".encode()),
    ) as called:
        status = "select status::text from pgwallet.project where project_id = %s"
        assert value(observer, status, project_id) == outcome
        holder.rollback()
        called.result()
    assert pgwallet.check_ledger(observer) == []


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
@pytest.mark.parametrize("name", ["pledge", "pledge_many"])
def test_a_closing_waits_for_a_pledge_under_way(connect: Connect, name: str, outcome: str) -> None:
    pledging, closing, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, project_id = funded(observer, fresh("ada"), 10), project(observer, fresh("project"))
    if name == "pledge":
        pgwallet.pledge(pledging, wallet_id, project_id, 10)
    else:
        pgwallet.pledge_many(pledging, project_id, [wallet_id], [10])
    with blocked(
        closing, observer, lambda: pgwallet.close_project(closing, project_id, outcome)
    ) as closed:
        pledging.commit()
        assert closed.result().status == outcome
    closing.commit()
    if outcome == "succeeded":
        assert pgwallet.release_escrows(observer, project_id).gross_amount == 10
    else:
        assert pgwallet.refund_escrows(observer, project_id).refunded_amount == 10


@pytest.mark.parametrize("name", ["pledge", "pledge_many"])
def test_a_pledge_waits_for_a_closing_and_is_refused(connect: Connect, name: str) -> None:
    pledging, closing, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, project_id = funded(observer, fresh("ada"), 10), project(observer, fresh("project"))
    pgwallet.close_project(closing, project_id, "failed")
    calls: dict[str, Callable[[], Any]] = {
        "pledge": lambda: pgwallet.pledge(pledging, wallet_id, project_id, 10),
        "pledge_many": lambda: pgwallet.pledge_many(pledging, project_id, [wallet_id], [10]),
    }
    with blocked(pledging, observer, calls[name]) as pledge:
        closing.commit()
        with pytest.raises(pgwallet.ProjectClosed):
            pledge.result()
    pledging.rollback()
    assert pgwallet.balance(observer, wallet_id) == 10


@pytest.mark.parametrize("level", HIGHER)
@pytest.mark.parametrize("name", ["pledge", "pledge_many", "release_escrow"])
def test_a_call_with_an_older_snapshot_loses_against_a_closing(
    connect: Connect, name: str, level: IsolationLevel
) -> None:
    caller, closing, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, project_id = funded(observer, fresh("ada"), 20), project(observer, fresh("project"))
    escrow_id = pgwallet.pledge(observer, wallet_id, project_id, 10).escrow_id
    at(caller, level)
    pgwallet.close_project(closing, project_id, "failed")
    calls: dict[str, Callable[[], Any]] = {
        "pledge": lambda: pgwallet.pledge(caller, wallet_id, project_id, 10),
        "pledge_many": lambda: pgwallet.pledge_many(caller, project_id, [wallet_id], [10]),
        "release_escrow": lambda: pgwallet.release_escrow(caller, escrow_id),
    }
    with blocked(caller, observer, calls[name]) as waiting:
        closing.commit()
        with pytest.raises(psycopg.errors.SerializationFailure):
            waiting.result()
    caller.rollback()
    # Run again, as run_transaction would, it sees why.
    with pytest.raises((pgwallet.ProjectClosed, pgwallet.ProjectNotClosed)):
        calls[name]()
    caller.rollback()
    assert pgwallet.check_ledger(observer) == []


@pytest.mark.parametrize("level", HIGHER)
def test_a_closing_with_an_older_snapshot_never_misses_a_pledge(
    connect: Connect, level: IsolationLevel
) -> None:
    pledging, closing, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, project_id = funded(observer, fresh("ada"), 10), project(observer, fresh("project"))
    at(closing, level)
    pledging.isolation_level = level
    pgwallet.pledge(pledging, wallet_id, project_id, 10)
    with blocked(
        closing, observer, lambda: pgwallet.close_project(closing, project_id, "succeeded")
    ) as closed:
        pledging.commit()
        try:
            closed.result()
            closing.commit()
        except psycopg.errors.SerializationFailure:
            closing.rollback()
            pgwallet.close_project(closing, project_id, "succeeded")
            closing.commit()
    assert pgwallet.release_escrows(observer, project_id).gross_amount == 10
    assert pgwallet.check_ledger(observer) == []


def test_of_two_closings_with_different_outcomes_one_wins(connect: Connect) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    project_id = project(observer, fresh("project"))
    pgwallet.close_project(first, project_id, "succeeded")
    with blocked(
        second, observer, lambda: pgwallet.close_project(second, project_id, "failed")
    ) as closing:
        first.commit()
        with pytest.raises(pgwallet.ProjectClosed):
            closing.result()
    assert pgwallet.get_project(observer, project_id).status == "succeeded"


@pytest.mark.parametrize("amount", [None, Decimal("0.40")], ids=["whole", "part"])
def test_a_milestone_and_a_failure_at_once_leave_no_released_failure_behind(
    connect: Connect, amount: Decimal | None
) -> None:
    releasing, closing, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, project_id, (first, second) = pledges(observer, 2)
    milestone = pgwallet.release_escrow(releasing, first, amount)
    with blocked(
        closing, observer, lambda: pgwallet.close_project(closing, project_id, "failed")
    ) as closed:
        releasing.commit()
        closed.result()
    with blocked(
        releasing, observer, lambda: pgwallet.release_escrow(releasing, second, amount)
    ) as released:
        closing.commit()
        with pytest.raises(pgwallet.ProjectNotClosed):
            released.result()
    releasing.rollback()
    left = 2 - milestone.released_amount
    assert pgwallet.refund_escrows(observer, project_id).refunded_amount == left
    assert pgwallet.balance(observer, wallet_id) == left


@pytest.mark.parametrize("first", ["expiry", "success"])
def test_of_an_expiry_and_a_success_the_one_that_came_first_counts(
    connect: Connect, first: str
) -> None:
    """Also while the success is not committed yet, which says when it came only then."""
    refunding, closing, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, project_id, _ = pledges(observer, 3)
    expire = "update pgwallet.escrow set expires_at = clock_timestamp() where project_id = %s"
    if first == "expiry":
        observer.execute(expire, [project_id])
    pgwallet.close_project(closing, project_id, "succeeded")
    if first == "success":
        observer.execute(expire, [project_id])
    assert pgwallet.refund_expired_escrows(refunding).escrow_count == 0
    closing.commit()
    expired = 3 if first == "expiry" else 0
    assert pgwallet.refund_expired_escrows(refunding).escrow_count == expired
    refunding.commit()
    assert pgwallet.release_escrows(observer, project_id).escrow_count == 3 - expired
    assert pgwallet.balance(observer, wallet_id) == expired
    assert pgwallet.check_ledger(observer) == []


@pytest.mark.parametrize("level", HIGHER)
@pytest.mark.parametrize("name", ["pledge", "pledge_many"])
def test_a_pledge_with_an_older_snapshot_loses_against_a_closing_that_is_over(
    connect: Connect, name: str, level: IsolationLevel
) -> None:
    caller, observer = connect(), connect(autocommit=True)
    wallet_id, project_id = funded(observer, fresh("ada"), 10), project(observer, fresh("project"))
    at(caller, level)
    pgwallet.close_project(observer, project_id, "failed")
    single: tuple[Any, ...] = (wallet_id, project_id, 10)
    bulk: tuple[Any, ...] = (project_id, [wallet_id], [10])
    with pytest.raises(psycopg.errors.SerializationFailure):
        call(caller, name, *(single if name == "pledge" else bulk))
    caller.rollback()
    assert pgwallet.balance(observer, wallet_id) == 10
