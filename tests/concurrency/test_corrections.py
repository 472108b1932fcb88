"""Ways back that meet on one escrow, wallet or project: one waits, and sees what the other did."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel

import pgwallet
from tests.concurrency.calls import assert_books, fresh, fresh_project
from tests.concurrency.sessions import ALL_LEVELS, HIGHER, at, at_once, blocked
from tests.conftest import Connect
from tests.ledger.calling import call, funded, value

pytestmark = pytest.mark.sql

Act = Callable[[psycopg.Connection, int], Any]
ACTS: dict[str, Act] = {
    "release": lambda conn, escrow_id: pgwallet.release_escrow(conn, escrow_id, 4),
    "refund": lambda conn, escrow_id: pgwallet.refund_escrow(conn, escrow_id),
    "refund a release": lambda conn, escrow_id: pgwallet.refund_release(conn, escrow_id, 6),
    "raise": lambda conn, escrow_id: pgwallet.change_pledge(conn, escrow_id, 35),
    "lower": lambda conn, escrow_id: pgwallet.change_pledge(conn, escrow_id, 12),
    "cancel": lambda conn, escrow_id: pgwallet.cancel_pledge(conn, escrow_id),
    "dispute": lambda conn, escrow_id: pgwallet.dispute_escrow(conn, escrow_id, "stolen"),
    "uphold": lambda conn, escrow_id: pgwallet.resolve_dispute(conn, escrow_id, "upheld"),
    "reject": lambda conn, escrow_id: pgwallet.resolve_dispute(conn, escrow_id, "rejected"),
}
ENDS_A_DISPUTE = ("uphold", "reject")


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


def pledged(conn: psycopg.Connection, disputed: bool = False) -> tuple[int, int, int]:
    """A wallet with 70, a project with 8 of the 10 released of its pledge of 30, the escrow."""
    wallet_id, project_id = funded(conn, fresh("owner"), 100), fresh_project(conn)
    escrow_id = pgwallet.pledge(conn, wallet_id, project_id, 30).escrow_id
    pgwallet.release_escrow(conn, escrow_id, 10)
    if disputed:
        pgwallet.dispute_escrow(conn, escrow_id, "stolen")
    return wallet_id, project_id, escrow_id


def end_of(conn: psycopg.Connection, wallet_id: int, escrow_id: int) -> tuple[Any, ...]:
    escrow = pgwallet.get_escrow(conn, escrow_id)
    amounts = (escrow.amount, escrow.released_amount, escrow.refunded_amount, escrow.net_amount)
    return (escrow.status, *amounts, pgwallet.balance(conn, wallet_id))


def outcome(function: Callable[[], Any]) -> str:
    try:
        function()
    except pgwallet.PgWalletError as error:
        return str(error.sqlstate)
    return "ok"


@pytest.mark.parametrize("first_name", ACTS)
def test_two_on_one_escrow_end_as_one_after_the_other(connect: Connect, first_name: str) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    disputed = first_name in ENDS_A_DISPUTE
    balances = {}
    for second_name in ACTS:
        wallet_id, project_id, escrow_id = pledged(observer, disputed)
        ACTS[first_name](first, escrow_id)
        with blocked(second, observer, partial(ACTS[second_name], second, escrow_id)) as waiting:
            first.commit()
            found = outcome(waiting.result)
        second.commit()

        twin, _, same = pledged(observer, disputed)
        ACTS[first_name](observer, same)
        assert found == outcome(partial(ACTS[second_name], observer, same)), second_name
        assert end_of(observer, wallet_id, escrow_id) == end_of(observer, twin, same), second_name
        for account in (wallet_id, project_id):
            balances[account] = pgwallet.balance(observer, account)
    assert_books(observer, balances)


@pytest.mark.parametrize("level", HIGHER)
def test_above_read_committed_the_second_has_to_be_run_again(
    connect: Connect, level: IsolationLevel
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    for name in ACTS:
        _, _, escrow_id = pledged(observer, name in ENDS_A_DISPUTE)
        at(second, level)
        pgwallet.refund_release(first, escrow_id, 1)
        with blocked(second, observer, partial(ACTS[name], second, escrow_id)) as waiting:
            first.commit()
            with pytest.raises(psycopg.errors.SerializationFailure):
                waiting.result()
        second.rollback()
        ACTS[name](observer, escrow_id)
    assert pgwallet.check_ledger(observer) == []


@pytest.mark.parametrize("level", ALL_LEVELS)
@pytest.mark.parametrize("name", ["raise", "lower", "cancel"])
def test_a_project_that_closes_meanwhile_refuses_it(
    connect: Connect, name: str, level: IsolationLevel
) -> None:
    closing, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, project_id, escrow_id = pledged(observer)
    at(second, level)
    pgwallet.close_project(closing, project_id, "succeeded")
    with blocked(second, observer, partial(ACTS[name], second, escrow_id)) as waiting:
        closing.commit()
        with pytest.raises((pgwallet.ProjectClosed, psycopg.errors.SerializationFailure)) as caught:
            waiting.result()
    assert isinstance(caught.value, pgwallet.ProjectClosed) == (
        level == IsolationLevel.READ_COMMITTED
    )
    second.rollback()
    assert_books(observer, {wallet_id: 70, project_id: 8})


@pytest.mark.parametrize("name", ["raise", "lower", "cancel"])
def test_a_closing_waits_for_what_is_under_way(connect: Connect, name: str) -> None:
    first, closing, observer = connect(), connect(), connect(autocommit=True)
    _, project_id, escrow_id = pledged(observer)
    ACTS[name](first, escrow_id)
    with blocked(
        closing, observer, partial(pgwallet.close_project, closing, project_id, "succeeded")
    ) as waiting:
        first.commit()
        waiting.result()
    closing.commit()
    late = value(
        observer,
        "select count(*) from pgwallet.posting as o inner join pgwallet.transaction as t "
        "on t.transaction_id = o.transaction_id inner join pgwallet.project as p "
        "on p.project_id = %s where t.escrow_id = %s and o.created_at > p.closed_at",
        *(project_id, escrow_id),
    )
    assert late == 0


def test_what_is_paid_out_does_not_go_back_too(connect: Connect) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, project_id, escrow_id = pledged(observer)
    pgwallet.payout(first, project_id, 1)
    with blocked(second, observer, partial(pgwallet.refund_release, second, escrow_id)) as waiting:
        first.commit()
        with pytest.raises(pgwallet.InsufficientFunds):
            waiting.result()
    second.rollback()

    pgwallet.refund_release(first, escrow_id, 5)
    with blocked(second, observer, partial(pgwallet.payout, second, project_id, 4)) as waiting:
        first.commit()
        with pytest.raises(pgwallet.InsufficientFunds):
            waiting.result()
    second.rollback()
    assert_books(observer, {wallet_id: 75, project_id: 3})


@pytest.mark.parametrize("name", ["raise", "lower", "cancel", "refund a release"])
def test_the_wallet_s_balance_is_that_of_after_the_other(connect: Connect, name: str) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, _, escrow_id = pledged(observer)
    pgwallet.withdraw(first, wallet_id, 66)
    with blocked(second, observer, partial(ACTS[name], second, escrow_id)) as waiting:
        first.commit()
        found = outcome(waiting.result)
    second.commit()
    assert found == ("PW201" if name == "raise" else "ok")
    left = {"raise": 4, "lower": 22, "cancel": 24, "refund a release": 10}[name]
    assert_books(observer, {wallet_id: left})


@pytest.mark.parametrize(
    ("name", "batch", "outcome_of"),
    [
        ("dispute", "release_escrows", "succeeded"),
        ("dispute", "refund_escrows", "failed"),
        ("refund a release", "refund_escrows", "failed"),
    ],
)
def test_a_batch_leaves_out_what_is_held_and_waits_for_it_when_told(
    connect: Connect, name: str, batch: str, outcome_of: str
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, project_id, escrow_id = pledged(observer)
    pgwallet.pledge(observer, wallet_id, project_id, 5)
    pgwallet.close_project(observer, project_id, outcome_of)
    ACTS[name](first, escrow_id)
    (row,) = call(second, batch, project_id)
    # A wallet that is held keeps all its escrows from a batch of refunds.
    free = 1 if name == "dispute" else 0
    assert row["escrow_count"] == free
    second.commit()
    with blocked(second, observer, partial(call, second, batch, project_id, p_wait=True)) as late:
        first.commit()
        (row,) = late.result()
    second.commit()
    assert row["escrow_count"] == (0 if name == "dispute" else 2)
    assert pgwallet.check_ledger(observer) == []


def test_what_expires_is_not_given_back_while_somebody_cancels_it(connect: Connect) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    wallet_id, project_id, escrow_id = pledged(observer)
    observer.execute(
        "update pgwallet.escrow set expires_at = now() where escrow_id = %s", [escrow_id]
    )
    pgwallet.cancel_pledge(first, escrow_id)
    assert pgwallet.refund_expired_escrows(second).escrow_count == 0
    first.commit()
    second.commit()
    assert_books(observer, {wallet_id: 90, project_id: 8})


def test_many_at_once_meet_no_deadlock(connect: Connect) -> None:
    """On the escrows of a few wallets in a few projects, each session in another order."""
    observer = connect(autocommit=True)
    wallets = [funded(observer, fresh("owner"), 1000) for _ in range(3)]
    projects = [fresh_project(observer) for _ in range(2)]
    escrows = [
        pgwallet.pledge(observer, wallet_id, project_id, 30).escrow_id
        for wallet_id, project_id in product(wallets, projects)
    ]
    for escrow_id in escrows:
        pgwallet.release_escrow(observer, escrow_id, 10)
    names = list(ACTS)

    def session(number: int) -> int:
        conn = connect(autocommit=True)
        done = 0
        for turn in range(60):
            act = ACTS[names[(turn * (number + 1) + number) % len(names)]]
            escrow_id = escrows[(turn * (number + 1)) % len(escrows)]
            done += outcome(partial(act, conn, escrow_id)) == "ok"
        return done

    assert sum(at_once([partial(session, number) for number in range(4)])) > 20
    assert pgwallet.check_ledger(observer) == []
