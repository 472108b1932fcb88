"""Collectors of one account take turns and never take more than is there; releases do not wait."""

from decimal import Decimal
from functools import partial

import psycopg
import pytest
from psycopg import IsolationLevel, errors

import pgwallet
from tests.concurrency.calls import fresh
from tests.concurrency.sessions import ALL_LEVELS, HIGHER, at, at_once, blocked
from tests.conftest import Connect
from tests.ledger.calling import funded, project

pytestmark = pytest.mark.sql


def pledged(conn: psycopg.Connection, amount: int) -> int:
    """An escrow of which half is commission and half is fee."""
    half = Decimal("0.5")
    project_id = project(conn, fresh("project"), commission_rate=half, fee_rate=half)
    return pgwallet.pledge(conn, funded(conn, fresh("owner"), amount), project_id, amount).escrow_id


def earned(conn: psycopg.Connection, amount: int) -> None:
    """So much of commission and as much of fee."""
    pgwallet.release_escrow(conn, pledged(conn, 2 * amount))


@pytest.mark.parametrize("level", ALL_LEVELS)
def test_of_two_that_collect_the_same_the_second_gets_none(
    connect: Connect, level: IsolationLevel
) -> None:
    first, second, observer = connect(), connect(), connect(autocommit=True)
    earned(observer, 10)
    at(second, level)
    pgwallet.collect_earnings(first, "EUR", "fee", 6)
    collect = partial(pgwallet.collect_earnings, second, "EUR", "fee", 6)
    with blocked(second, observer, collect) as waiting:
        first.commit()
    refusal = pgwallet.InsufficientFunds if level not in HIGHER else errors.SerializationFailure
    with pytest.raises(refusal):
        waiting.result()
    second.rollback()
    assert pgwallet.collect_earnings(observer, "EUR", "fee", 4).balance == 0
    assert pgwallet.check_ledger(observer) == []


@pytest.mark.parametrize("level", HIGHER)
def test_an_older_snapshot_that_missed_a_collection_fails(
    connect: Connect, level: IsolationLevel
) -> None:
    """Though nobody holds anything any more."""
    second, observer = connect(), connect(autocommit=True)
    earned(observer, 10)
    at(second, level)
    pgwallet.collect_earnings(observer, "EUR", "commission", 10)
    with pytest.raises(errors.SerializationFailure):
        pgwallet.collect_earnings(second, "EUR", "commission", 10)


@pytest.mark.parametrize("level", ALL_LEVELS[:2])
def test_a_release_waits_for_no_collector_and_no_collector_for_a_release(
    connect: Connect, level: IsolationLevel
) -> None:
    collector, releaser = connect(), connect()
    observer = connect(autocommit=True)
    earned(observer, 10)
    first, second = pledged(observer, 20), pledged(observer, 20)
    for conn in (collector, releaser):
        at(conn, level)
        conn.execute("set lock_timeout = '1s'")
    pgwallet.release_escrow(releaser, first)
    # What is not committed is not there yet.
    assert pgwallet.collect_earnings(collector, "EUR", "fee", 10).balance == 0
    pgwallet.release_escrow(releaser, second)
    releaser.commit()
    collector.commit()
    assert pgwallet.collect_earnings(observer, "EUR", "fee", 20).balance == 0


def test_many_that_collect_at_once_take_what_is_there_and_no_more(connect: Connect) -> None:
    observer = connect(autocommit=True)
    earned(observer, 50)
    sessions = [connect(autocommit=True) for _ in range(6)]
    escrows = [pledged(observer, 2) for _ in range(30)]

    def collect(conn: psycopg.Connection) -> int:
        collected = 0
        for _ in range(25):
            try:
                pgwallet.collect_earnings(conn, "EUR", "commission", 1)
                collected += 1
            except pgwallet.InsufficientFunds:
                pass
        return collected

    def release(conn: psycopg.Connection) -> int:
        for escrow_id in escrows:
            pgwallet.release_escrow(conn, escrow_id)
        return 0

    *collectors, releaser = sessions
    collected = sum(
        at_once([*(partial(collect, conn) for conn in collectors), partial(release, releaser)])
    )
    (left,) = observer.execute(
        "select pgwallet.balance(commission_account_id) from pgwallet.currency "
        "where currency = 'EUR'"
    ).fetchone() or (None,)
    assert left == 80 - collected >= 0
    assert pgwallet.check_ledger(observer) == []
