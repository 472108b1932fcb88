"""What the replaced code did wrong when it closed projects: d04 to d07, d09, d10 of README.md."""

from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.concurrency.sessions import blocked
from tests.conftest import Connect
from tests.ledger.calling import funded, project, refused, value

pytestmark = pytest.mark.sql


def pledges(conn: psycopg.Connection, count: int, amount: int = 100) -> tuple[int, list[int]]:
    """A project with that many pledges, and their escrows."""
    wallet_id = funded(conn, "ada", count * amount)
    project_id = project(conn)
    rows = pgwallet.pledge_many(conn, project_id, [wallet_id] * count, [amount] * count)
    return project_id, [row.escrow_id for row in rows]


def earned(conn: psycopg.Connection) -> Decimal:
    account_id = value(
        conn, "select commission_account_id from pgwallet.currency where currency = 'EUR'"
    )
    return pgwallet.balance(conn, account_id)


def test_d04_two_closings_pay_the_commission_once(connect: Connect) -> None:
    first, second, observer = connect(), connect(autocommit=True), connect(autocommit=True)
    project_id, _ = pledges(observer, 10)
    pgwallet.close_project(observer, project_id, "succeeded")

    assert pgwallet.release_escrows(first, project_id, limit=4).escrow_count == 4
    with blocked(
        second, observer, lambda: list(pgwallet.release_project(second, project_id))
    ) as closing:
        assert pgwallet.release_escrows(first, project_id).escrow_count == 0
        first.commit()
        batches = closing.result()

    assert sum(batch.escrow_count for batch in batches) == 6
    assert earned(observer) == 50
    assert pgwallet.balance(observer, project_id) == 921
    assert pgwallet.check_ledger(observer) == []


def test_d04_two_releases_of_one_escrow_pay_the_commission_once(connect: Connect) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    _, (escrow_id,) = pledges(observer, 1)
    pgwallet.release_escrow(first, escrow_id)
    with blocked(second, observer, lambda: pgwallet.release_escrow(second, escrow_id)) as releasing:
        first.commit()
        with pytest.raises(pgwallet.EscrowNotLocked):
            releasing.result()
    assert earned(observer) == 5


def test_d05_all_of_2500_escrows_are_released_and_counted(connect: Connect) -> None:
    conn = connect(autocommit=True)
    project_id, escrow_ids = pledges(conn, 2500, 1)
    batches = list(pgwallet.release_project(conn, project_id, batch_size=1000))
    assert [batch.escrow_count for batch in batches] == [1000, 1000, 500]
    assert sum(batch.gross_amount for batch in batches) == 2500
    assert len(escrow_ids) == value(
        conn, "select count(*) from pgwallet.escrow where status = 'released'"
    )
    assert pgwallet.check_ledger(conn) == []


def test_d06_net_commission_and_fee_are_all_posted(conn: psycopg.Connection) -> None:
    project_id, _ = pledges(conn, 3, 10)
    pgwallet.close_project(conn, project_id, "succeeded")
    batch = pgwallet.release_escrows(conn, project_id)
    posted = conn.execute(
        """
        select d.kind::text, p.amount
        from pgwallet.posting as p
        join pgwallet.account as d on d.account_id = p.destination_account_id
        where p.transaction_id = %s
        order by p.posting_id
        """,
        [batch.transaction_id],
    ).fetchall()
    assert posted == [
        ("project", Decimal("27.63")),
        ("commission", Decimal("1.50")),
        ("fee", Decimal("0.87")),
    ]
    assert sum(amount for _, amount in posted) == batch.gross_amount == 30
    assert pgwallet.balance(conn, project_id) == batch.net_amount
    assert pgwallet.check_ledger(conn) == []


def test_d07_each_batch_is_committed_and_its_locks_are_free(connect: Connect) -> None:
    conn, other = connect(autocommit=True), connect(autocommit=True)
    project_id, escrow_ids = pledges(conn, 6)
    batches = pgwallet.release_project(conn, project_id, batch_size=2)
    for done in (2, 4, 6):
        next(batches)
        free = other.execute(
            """
            select escrow_id from pgwallet.escrow where status = 'released'
            order by escrow_id for update nowait
            """
        ).fetchall()
        assert [row[0] for row in free] == escrow_ids[:done]


def test_d07_the_procedure_commits_each_batch(connect: Connect) -> None:
    holder, dba, observer = connect(), connect(autocommit=True), connect(autocommit=True)
    project_id, escrow_ids = pledges(observer, 6)
    holder.execute("select from pgwallet.escrow where escrow_id = %s for update", [escrow_ids[2]])
    with blocked(
        dba,
        observer,
        lambda: dba.execute("call pgwallet.release_project(%s, 2)", [project_id]),
    ) as call:
        locked = "select count(*) from pgwallet.escrow where status = 'locked'"
        assert value(observer, locked) == 1
        holder.rollback()
        call.result()
    assert value(observer, locked) == 0
    assert earned(observer) == 30


def test_d09_no_pledge_slips_into_a_closing_project(connect: Connect) -> None:
    early, closing, late = connect(), connect(), connect()
    observer = connect(autocommit=True)
    wallet_id = funded(observer, "ada", 100)
    other_id = funded(observer, "bob", 100)
    project_id = project(observer)

    pgwallet.pledge(early, wallet_id, project_id, 10)
    with (
        blocked(
            closing, observer, lambda: pgwallet.close_project(closing, project_id, "succeeded")
        ) as closed,
        # It queues behind the closing, which therefore does not starve.
        blocked(late, observer, lambda: pgwallet.pledge(late, other_id, project_id, 10)) as pledged,
    ):
        early.commit()
        assert closed.result().status == "succeeded"
        closing.commit()
        with pytest.raises(pgwallet.ProjectClosed):
            pledged.result()
    late.rollback()
    assert pgwallet.balance(observer, other_id) == 100
    assert pgwallet.release_escrows(observer, project_id).gross_amount == 10
    assert pgwallet.check_ledger(observer) == []


def test_d10_a_refund_brings_the_money_back(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, "ada", 100)
    project_id = project(conn)
    escrow_id = pgwallet.pledge(conn, wallet_id, project_id, 60).escrow_id
    assert pgwallet.balance(conn, wallet_id) == 40
    refund = pgwallet.refund_escrow(conn, escrow_id)
    assert refund.status == "refunded"
    assert refund.refunded_amount == 60
    assert refund.balance == 100
    assert pgwallet.balance(conn, wallet_id) == 100
    with refused(conn, "PW202"):
        pgwallet.refund_escrow(conn, escrow_id)

    pgwallet.pledge(conn, wallet_id, project_id, 30)
    pgwallet.close_project(conn, project_id, "failed")
    assert pgwallet.refund_escrows(conn, project_id).refunded_amount == 30
    assert pgwallet.balance(conn, wallet_id) == 100
    assert pgwallet.check_ledger(conn) == []
