"""A batch of refunds leaves out what others hold, so one idle transaction holds up nobody else."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel

import pgwallet
from tests.concurrency.calls import assert_books, fresh
from tests.concurrency.sessions import HIGHER, at, blocked
from tests.conftest import Connect
from tests.ledger.calling import call, funded, project, value

pytestmark = pytest.mark.sql

WALLETS = 6
HELD = 2
ROUNDS = 500  # pledges of each wallet, where deposits come meanwhile

Refund = Callable[..., Any]


def refund_expired(conn: psycopg.Connection, project_id: int, limit: int = 100) -> Any:
    return pgwallet.refund_expired_escrows(conn, limit)


def refund_failed(conn: psycopg.Connection, project_id: int, limit: int = 100) -> Any:
    return pgwallet.refund_escrows(conn, project_id, limit)


BATCHES = pytest.mark.parametrize("refund", [refund_expired, refund_failed])


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


def impatient(connect: Connect) -> psycopg.Connection:
    """In autocommit mode; gives up where it has to wait."""
    conn = connect(autocommit=True)
    conn.execute("set lock_timeout = '1s'")
    return conn


def let_expire(conn: psycopg.Connection, project_id: int) -> None:
    conn.execute(
        "update pgwallet.escrow set expires_at = now() where project_id = %s", [project_id]
    )


def to_refund(conn: psycopg.Connection, refund: Refund) -> tuple[list[int], int]:
    """Wallets that have 10 left and have pledged 10 to a project, which the refund gives back."""
    wallets = [funded(conn, fresh("owner"), 20) for _ in range(WALLETS)]
    project_id = project(conn, fresh("project"))
    pgwallet.pledge_many(conn, project_id, wallets, [10] * WALLETS)
    if refund is refund_expired:
        let_expire(conn, project_id)
    else:
        pgwallet.close_project(conn, project_id, "failed")
    return wallets, project_id


@BATCHES
def test_an_open_deposit_keeps_one_wallet_from_a_batch_and_holds_up_nothing_else(
    connect: Connect, refund: Refund
) -> None:
    holder, working, others = connect(), impatient(connect), impatient(connect)
    wallets, project_id = to_refund(others, refund)
    pgwallet.deposit(holder, wallets[HELD], 1)

    assert refund(working, project_id).escrow_count == WALLETS - 1
    assert refund(working, project_id).escrow_count == 0
    for wallet_id in wallets[:HELD] + wallets[HELD + 1 :]:
        pgwallet.deposit(others, wallet_id, 1)
    if refund is refund_expired:
        pgwallet.refund_escrow(others, pgwallet.pledge(others, wallets[0], project_id, 5).escrow_id)
        pgwallet.close_project(others, project_id, "failed")

    holder.commit()
    assert refund(working, project_id).escrow_count == 1
    assert_books(others, dict.fromkeys(wallets, 21))


@BATCHES
def test_a_batch_is_full_although_some_wallets_are_held(connect: Connect, refund: Refund) -> None:
    holder, working, observer = connect(), impatient(connect), connect(autocommit=True)
    wallets, project_id = to_refund(observer, refund)
    pgwallet.deposit_many(holder, wallets[:HELD], [1] * HELD)
    assert refund(working, project_id, WALLETS - HELD).escrow_count == WALLETS - HELD
    holder.rollback()
    assert refund(working, project_id, WALLETS).escrow_count == HELD
    assert_books(observer, dict.fromkeys(wallets, 20))


@BATCHES
def test_workers_at_once_give_back_to_different_wallets(connect: Connect, refund: Refund) -> None:
    workers, observer = [impatient(connect) for _ in range(3)], connect(autocommit=True)
    wallets, project_id = to_refund(observer, refund)
    for conn in workers:
        conn.execute("begin")
        assert refund(conn, project_id, 2).escrow_count == 2
    for conn in workers:
        conn.execute("commit")
    assert_books(observer, dict.fromkeys(wallets, 20))


@BATCHES
def test_a_batch_gives_back_what_a_wallet_got_meanwhile_too(
    connect: Connect, refund: Refund
) -> None:
    """It takes the wallet as it is once it is locked, not as it was in a snapshot."""
    holder, working, observer = connect(), impatient(connect), connect(autocommit=True)
    wallets, project_id = to_refund(observer, refund)
    pgwallet.deposit_many(holder, wallets, [1] * WALLETS)
    assert refund(working, project_id).escrow_count == 0
    holder.commit()
    assert refund(working, project_id).escrow_count == WALLETS
    assert_books(observer, dict.fromkeys(wallets, 21))


@BATCHES
def test_a_batch_counts_what_a_wallet_gets_between_its_snapshot_and_its_lock(
    connect: Connect, refund: Refund
) -> None:
    """Deposits come all the while; a batch of thousands gets to the last wallets much later."""
    depositing, working = connect(autocommit=True), impatient(connect)
    wallets = [funded(working, fresh("owner"), 1000) for _ in range(WALLETS)]
    project_id = project(working, fresh("project"))
    pledged = [wallet_id for wallet_id in wallets for _ in range(ROUNDS)]
    pgwallet.pledge_many(working, project_id, pledged, [1] * len(pledged))
    if refund is refund_expired:
        let_expire(working, project_id)
    else:
        pgwallet.close_project(working, project_id, "failed")

    began, over = Event(), Event()
    with ThreadPoolExecutor(1) as threads:
        counting = threads.submit(deposit_until, over, depositing, wallets[-1], began)
        try:
            assert began.wait(20)
            refunded = 0
            while refunded < len(pledged):
                refunded += refund(working, project_id, len(pledged)).escrow_count
        finally:
            over.set()
        deposits = counting.result()
    assert_books(working, dict.fromkeys(wallets, 1000) | {wallets[-1]: 1000 + deposits})


def deposit_until(over: Event, conn: psycopg.Connection, wallet_id: int, began: Event) -> int:
    """How often 1 was deposited until then."""
    for count in itertools.count():
        if over.is_set():
            return count
        pgwallet.deposit(conn, wallet_id, 1)
        began.set()
    raise AssertionError


@BATCHES
def test_what_a_batch_left_out_is_not_locked_by_it(connect: Connect, refund: Refund) -> None:
    holder, working, others = connect(), connect(), impatient(connect)
    wallets, project_id = to_refund(others, refund)
    pgwallet.deposit(holder, wallets[HELD], 1)
    assert refund(working, project_id).escrow_count == WALLETS - 1
    holder.commit()
    escrow_id = value(
        others, "select escrow_id from pgwallet.escrow where wallet_id = %s", wallets[HELD]
    )
    assert pgwallet.refund_escrow(others, escrow_id).balance == 21
    working.commit()
    assert_books(others, dict.fromkeys(wallets, 20) | {wallets[HELD]: 21})


def test_a_batch_that_is_told_to_waits_for_the_wallets_too(connect: Connect) -> None:
    holder, working, observer = connect(), connect(autocommit=True), connect(autocommit=True)
    wallets, project_id = to_refund(observer, refund_failed)
    pgwallet.deposit(holder, wallets[HELD], 1)
    with blocked(
        working,
        observer,
        lambda: pgwallet.refund_escrows(working, project_id, wait=True),
    ) as waiting:
        holder.commit()
        assert waiting.result().escrow_count == WALLETS
    assert_books(observer, dict.fromkeys(wallets, 20) | {wallets[HELD]: 21})


def test_a_batch_that_waits_waits_for_the_wallets_of_its_own_escrows_alone(
    connect: Connect,
) -> None:
    holder, working = connect(), impatient(connect)
    wallets, project_id = to_refund(working, refund_failed)
    after = value(
        working,
        "select escrow_id from pgwallet.escrow where project_id = %s and wallet_id = %s",
        project_id,
        wallets[0],
    )
    pgwallet.deposit_many(holder, [wallets[0], wallets[3]], [1, 1])
    assert pgwallet.refund_escrows(working, project_id, 2, after, wait=True).escrow_count == 2
    holder.commit()
    assert refund_failed(working, project_id).escrow_count == WALLETS - 2


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_a_batch_that_waits_counts_no_escrow_in_which_nothing_is_left(
    connect: Connect, outcome: str
) -> None:
    holder, working, observer = connect(), connect(autocommit=True), connect(autocommit=True)
    settle: partial[Any]
    wallets = [funded(observer, fresh("owner"), 20) for _ in range(2)]
    project_id = project(observer, fresh("project"))
    gone, left = pgwallet.pledge_many(observer, project_id, wallets, [10, 10])
    pgwallet.refund_escrow(observer, gone.escrow_id)
    pgwallet.close_project(observer, project_id, outcome)
    if outcome == "failed":
        settle = partial(pgwallet.refund_escrows, working, project_id, 1, wait=True)
        pgwallet.deposit(holder, wallets[1], 1)
    else:
        settle = partial(pgwallet.release_escrows, working, project_id, 1, wait=True)
        holder.execute(
            "select from pgwallet.escrow where escrow_id = %s for no key update", [left.escrow_id]
        )
    with blocked(working, observer, settle) as waiting:
        holder.commit()
        assert waiting.result().escrow_count == 1


def test_a_batch_of_releases_does_not_wait_for_what_has_expired(connect: Connect) -> None:
    holder, working = connect(), impatient(connect)
    wallets, project_id = to_refund(working, refund_expired)
    pgwallet.pledge(working, wallets[0], project_id, 5)
    pgwallet.close_project(working, project_id, "succeeded")
    assert refund_expired(holder, project_id).escrow_count == WALLETS
    assert pgwallet.release_escrows(working, project_id, wait=True).gross_amount == 5
    holder.commit()
    assert_books(working, dict.fromkeys(wallets[1:], 20) | {wallets[0]: 15})


def test_a_project_that_is_closing_keeps_its_own_escrows_from_a_batch(connect: Connect) -> None:
    closing, working, others = connect(), impatient(connect), impatient(connect)
    wallets, project_id = to_refund(others, refund_expired)
    other_wallets, other_id = to_refund(others, refund_expired)
    pgwallet.close_project(closing, project_id, "failed")
    assert refund_expired(working, other_id).escrow_count == WALLETS
    closing.commit()
    assert refund_expired(working, project_id).escrow_count == WALLETS
    assert_books(others, dict.fromkeys([*wallets, *other_wallets], 20))


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_a_closing_waits_for_a_refund_of_what_has_expired(connect: Connect, outcome: str) -> None:
    """Else it could say of itself that it came first."""
    refunding, closing, observer = connect(), connect(), connect(autocommit=True)
    wallets, project_id = to_refund(observer, refund_expired)
    assert refund_expired(refunding, project_id).escrow_count == WALLETS
    with blocked(
        closing, observer, partial(pgwallet.close_project, closing, project_id, outcome)
    ) as closed:
        refunding.commit()
        assert closed.result().status == outcome
    closing.commit()
    assert_books(observer, dict.fromkeys(wallets, 20))


@pytest.mark.parametrize("level", HIGHER)
def test_a_refund_with_an_older_snapshot_loses_against_a_closing(
    connect: Connect, level: IsolationLevel
) -> None:
    refunding, observer = connect(), connect(autocommit=True)
    _, project_id = to_refund(observer, refund_expired)
    at(refunding, level)
    pgwallet.close_project(observer, project_id, "failed")
    with pytest.raises(psycopg.errors.SerializationFailure):
        refund_expired(refunding, project_id)
    refunding.rollback()
    assert refund_expired(refunding, project_id).escrow_count == WALLETS
    refunding.commit()


@pytest.mark.parametrize("closed", [False, True], ids=["open", "failed"])
def test_a_batch_takes_no_lock_of_the_shared_table_for_a_project(
    connect: Connect, closed: bool
) -> None:
    """That table has room for some thousands; a batch may well meet more projects."""
    working, observer = connect(), connect(autocommit=True)
    wallet_id = funded(observer, fresh("owner"), 10)
    projects = [project(observer, fresh("project")) for _ in range(10)]
    for project_id in projects:
        pgwallet.pledge(observer, wallet_id, project_id, 1)
        let_expire(observer, project_id)
        if closed:
            pgwallet.close_project(observer, project_id, "failed")
    assert refund_expired(working, 0).escrow_count == 10
    advisory = "select count(*) from pg_locks where pid = %s and locktype = 'advisory'"
    assert value(observer, advisory, working.info.backend_pid) == 0
    working.commit()
    assert_books(observer, {wallet_id: 10})


def test_a_pledge_that_expires_later_costs_a_batch_nothing(connect: Connect) -> None:
    """However many are still to expire, it reads those that have."""
    observer = connect(autocommit=True)
    observer.execute("discard plans")  # they are of a time with fewer escrows
    wallet_id = funded(observer, fresh("owner"), 1000)
    project_id = project(observer, fresh("project"))
    pgwallet.pledge_many(observer, project_id, [wallet_id] * 1000, [1] * 1000)
    observer.execute(
        "update pgwallet.escrow set expires_at = now() + interval '1 day' where project_id = %s",
        [project_id],
    )
    rows = (
        "select seq_tup_read + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables "
        "where relid = 'pgwallet.escrow'::regclass"
    )
    with observer.transaction():
        before = value(observer, rows)
        assert call(observer, "refund_expired_escrows")[0]["escrow_count"] == 0
        assert value(observer, rows) - before < 100
