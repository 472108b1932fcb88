"""Waiting for who writes: after it, each id that was drawn before is decided, and seen."""

from concurrent.futures import Future
from functools import partial

import psycopg
import pytest
from psycopg import IsolationLevel
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import pgwallet
from tests import databases
from tests.concurrency.calls import fresh
from tests.concurrency.sessions import HIGHER, all_blocked, blocked
from tests.conftest import Connect
from tests.ledger.calling import funded
from tests.waiting import DEADLINE

pytestmark = pytest.mark.sql

COUNT = "select count(*) from pgwallet.posting"


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


def await_writers(conn: psycopg.Connection) -> int:
    """Returns how many postings the next statement of the same transaction sees."""
    conn.execute("select pgwallet._await_writers()")
    row = conn.execute(COUNT).fetchone()
    conn.commit()
    assert row is not None
    return int(row[0])


def write(conn: psycopg.Connection) -> None:
    conn.execute("create temporary table if not exists written (number int)")
    conn.execute("insert into written values (1)")


def test_nobody_writes_and_nobody_waits(connect: Connect) -> None:
    reader, other = connect(), connect()
    other.execute(COUNT)  # it is in a transaction, and reads
    await_writers(reader)


@pytest.mark.parametrize("ending", ["commit", "rollback"])
def test_it_waits_for_who_has_drawn_an_id(connect: Connect, ending: str) -> None:
    writer, reader, observer = connect(), connect(), connect(autocommit=True)
    wallet = funded(observer, fresh("owner"), 10)
    row = observer.execute(COUNT).fetchone()
    assert row is not None
    pgwallet.deposit(writer, wallet, 1)
    with blocked(reader, observer, partial(await_writers, reader), "Timeout") as seen:
        getattr(writer, ending)()
        assert seen.result() == row[0] + (ending == "commit")


def test_it_does_not_wait_for_who_comes_later(connect: Connect, server: str) -> None:
    """Also where another database keeps it from seeing by the oldest xid alone that all is done."""
    writer, late, reader = connect(), connect(), connect()
    observer = connect(autocommit=True)
    told: Future[None] = Future()
    reader.add_notice_handler(lambda _: told.set_result(None))
    with (
        databases.created(server) as name,
        psycopg.connect(make_conninfo(server, dbname=name)) as elsewhere,
    ):
        write(elsewhere)
        write(writer)
        with blocked(reader, observer, partial(await_writers, reader), "Timeout") as seen:
            told.result(DEADLINE)
            write(late)
            writer.rollback()
            seen.result(DEADLINE)
    late.rollback()


def test_it_does_not_wait_for_another_database(connect: Connect, server: str) -> None:
    reader = connect()
    with (
        databases.created(server) as name,
        psycopg.connect(make_conninfo(server, dbname=name)) as elsewhere,
    ):
        write(elsewhere)
        await_writers(reader)


def test_it_names_whom_it_waits_for_after_a_second(connect: Connect, database: str) -> None:
    reader, observer = connect(), connect(autocommit=True)
    told: Future[str] = Future()
    reader.add_notice_handler(lambda notice: told.set_result(str(notice.message_primary)))
    with psycopg.connect(database, application_name="nightly job") as writer:
        write(writer)
        with blocked(reader, observer, partial(await_writers, reader), "Timeout") as seen:
            message = told.result(10)
            assert not seen.done()
            writer.rollback()
            seen.result()
        assert f"process {writer.info.backend_pid}" in message
        assert f"role {conninfo_to_dict(database)['user']}" in message
        assert "application nightly job" in message


def test_two_who_wait_do_so_in_their_order(connect: Connect) -> None:
    writer, first, second = connect(), connect(), connect()
    observer = connect(autocommit=True)
    write(writer)
    waits = [
        (conn, partial(conn.execute, "select pgwallet._await_writers()"))
        for conn in (first, second)
    ]
    with all_blocked(observer, waits, "Timeout") as ends:
        writer.rollback()
        ends[0].result()
        first.rollback()
        ends[1].result()
    second.rollback()


def test_who_writes_already_is_refused_and_does_not_wait_for_ever(connect: Connect) -> None:
    one, other = connect(), connect()
    write(one)
    write(other)
    for each in (one, other):
        with pytest.raises(psycopg.errors.ActiveSqlTransaction) as refused:
            await_writers(each)
        assert refused.value.diag.message_hint
        each.rollback()


def test_who_holds_what_a_writer_waits_for_is_refused(connect: Connect) -> None:
    """It waits by way of another, and the server sees no deadlock where one side sleeps."""
    writer, holder, between = connect(), connect(), connect()
    observer = connect(autocommit=True)
    holder.execute("select pg_advisory_xact_lock(17)")
    write(writer)
    between.execute("select pg_advisory_xact_lock(18)")
    take = "select pg_advisory_xact_lock(%s)"
    with (
        blocked(between, observer, lambda: between.execute(take, [17])) as one,
        blocked(writer, observer, lambda: writer.execute(take, [18])) as other,
    ):
        with pytest.raises(psycopg.errors.DeadlockDetected):
            await_writers(holder)
        holder.rollback()
        one.result()
        between.rollback()
        other.result()
        writer.rollback()


@pytest.mark.parametrize("level", HIGHER, ids=[each.name.lower() for each in HIGHER])
def test_a_snapshot_that_does_not_move_is_refused(connect: Connect, level: IsolationLevel) -> None:
    reader = connect()
    reader.isolation_level = level
    with pytest.raises(psycopg.errors.ActiveSqlTransaction):
        await_writers(reader)
