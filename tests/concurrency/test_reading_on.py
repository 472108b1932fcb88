"""Statements of accounts without a lock: whoever reads on from the last line misses none.

A wallet's lock orders its postings; of what the platform earned, of what is outside and of what a
project's pledges hold, one that commits later may have the smaller id.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel, errors

import pgwallet
from tests.concurrency.calls import fresh
from tests.concurrency.sessions import HIGHER, blocked
from tests.conftest import Connect
from tests.following.sealing import seal
from tests.ledger.calling import funded, project
from tests.waiting import DEADLINE

pytestmark = pytest.mark.sql


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


def account(conn: psycopg.Connection, query: str, *values: Any) -> int:
    row = conn.execute(query.encode(), values).fetchone()
    assert row is not None
    return int(row[0])


def of_currency(kind: str) -> Callable[[psycopg.Connection, int], int]:
    query = f"select {kind}_account_id from pgwallet.currency where currency = 'EUR'"
    return lambda conn, _: account(conn, query)


ACCOUNTS: dict[str, Callable[[psycopg.Connection, int], int]] = {
    **{kind: of_currency(kind) for kind in ("commission", "fee")},
    "escrow": lambda conn, film: account(
        conn, "select escrow_account_id from pgwallet.project where project_id = %s", film
    ),
    "external": lambda conn, film: account(
        conn, "select external_account_id from pgwallet.account where account_id = %s", film
    ),
}


class Stage:
    """Two wallets and two projects with a locked pledge each, and where a statement has come to."""

    def __init__(self, conn: psycopg.Connection, kind: str) -> None:
        self.wallets = [funded(conn, fresh("ada"), 30) for _ in range(2)]
        self.films = [project(conn, fresh("film")) for _ in range(2)]
        self.escrows = [
            pgwallet.pledge(conn, wallet, film, 10).escrow_id
            for wallet, film in zip(self.wallets, self.films, strict=True)
        ]
        self.kind = kind
        self.account_id = ACCOUNTS[kind](conn, self.films[0])
        self.seen = 0
        self.read(conn)

    def post(self, conn: psycopg.Connection, number: int) -> None:
        """One posting of the account, by another wallet or project each."""
        if self.kind == "external":
            pgwallet.deposit(conn, self.wallets[number], 1)
        elif self.kind == "escrow":
            pgwallet.pledge(conn, self.wallets[number], self.films[0], 1)
        else:
            pgwallet.release_escrow(conn, self.escrows[number])

    def read(self, conn: psycopg.Connection) -> list[pgwallet.StatementRow]:
        rows = []
        while page := pgwallet.statement(conn, self.account_id, self.seen, 2):
            rows += page
            self.seen = page[-1].posting_id
        return rows

    def all(self, conn: psycopg.Connection) -> list[int]:
        ids = conn.execute(
            "select posting_id from pgwallet.posting "
            "where %s in (source_account_id, destination_account_id) order by 1",
            [self.account_id],
        ).fetchall()
        return [row[0] for row in ids]


kinds = pytest.mark.parametrize("kind", ACCOUNTS)


@kinds
def test_what_commits_later_with_a_smaller_id_is_not_passed(connect: Connect, kind: str) -> None:
    slow, fast, reader = connect(), connect(), connect(autocommit=True)
    observer = connect(autocommit=True)
    its = Stage(observer, kind)
    before = len(its.all(observer))
    its.post(slow, 0)
    its.post(fast, 1)
    fast.commit()
    with blocked(reader, observer, partial(its.read, reader), "Timeout") as read:
        slow.commit()
        rows = read.result()
    assert [row.posting_id for row in rows] == its.all(observer)[before:]
    assert len(rows) == 2


def test_what_came_while_it_waited_is_left_for_the_next_page(connect: Connect) -> None:
    """Smaller ids may still be missing among it."""
    slow, late = connect(), connect()
    reader, observer = connect(autocommit=True), connect(autocommit=True)
    its = Stage(observer, "external")
    other = funded(observer, fresh("eve"), 1)
    its.read(observer)
    its.post(slow, 0)
    with blocked(
        reader, observer, partial(pgwallet.statement, reader, its.account_id, its.seen), "Timeout"
    ) as read:
        its.post(late, 1)
        pgwallet.deposit(observer, other, 1)
        slow.commit()
        assert [row.counterpart_id for row in read.result(DEADLINE)] == [its.wallets[0]]
    late.rollback()


def test_it_ends_where_a_long_transaction_may_still_post(connect: Connect) -> None:
    slow, reader = connect(), connect(autocommit=True)
    observer = connect(autocommit=True)
    its = Stage(observer, "external")
    told: list[str] = []
    reader.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
    seal(observer)
    before = len(its.all(observer))
    its.post(slow, 0)
    its.post(observer, 1)
    assert its.read(reader) == []
    assert f"process {slow.info.backend_pid} " in told[0]
    its.seen = 0
    assert len(its.read(reader)) == before
    slow.commit()
    assert [row.posting_id for row in its.read(reader)] == its.all(observer)[before:]


def test_a_long_transaction_that_posts_nothing_is_not_waited_for(connect: Connect) -> None:
    other, reader = connect(), connect(autocommit=True)
    its = Stage(reader, "commission")
    pgwallet.freeze_account(other, its.wallets[1], "why")
    its.post(reader, 0)
    reader.execute("set statement_timeout = '900ms'")
    assert len(its.read(reader)) == 1
    other.rollback()


def test_what_the_transaction_itself_has_posted_is_told(connect: Connect) -> None:
    conn = connect()
    its = Stage(conn, "commission")
    its.post(conn, 0)
    assert len(its.read(conn)) == 1
    conn.rollback()


def test_the_newest_first_waits_for_nobody(connect: Connect) -> None:
    slow, reader = connect(), connect(autocommit=True)
    its = Stage(reader, "commission")
    its.post(slow, 0)
    its.post(reader, 1)
    reader.execute("set statement_timeout = '900ms'")
    (row,) = pgwallet.statement(reader, its.account_id, limit=1, newest_first=True)
    assert row.posting_id == its.all(reader)[-1]
    slow.rollback()


@pytest.mark.parametrize("level", HIGHER, ids=[each.name.lower() for each in HIGHER])
def test_in_a_snapshot_that_does_not_move_it_ends_at_the_last_seal_and_then_refuses(
    connect: Connect, level: IsolationLevel
) -> None:
    """An empty page would look like the end, though there is something."""
    slow, fast, reader = connect(), connect(autocommit=True), connect()
    its = Stage(fast, "commission")
    its.read(fast)
    reader.isolation_level = level
    # Nothing came: it is the end.
    assert its.read(reader) == []
    reader.rollback()
    its.post(fast, 0)
    seal(fast)
    its.escrows[0] = pgwallet.pledge(fast, its.wallets[0], its.films[0], 10).escrow_id
    its.post(slow, 0)
    its.post(fast, 1)
    told: list[str] = []
    reader.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
    (row,) = pgwallet.statement(reader, its.account_id, its.seen, 2)
    assert told[0].endswith(f"at the level {level.name.lower().replace('_', ' ')}")
    with pytest.raises(errors.ActiveSqlTransaction, match="read committed alone"):
        pgwallet.statement(reader, its.account_id, row.posting_id)
    reader.rollback()
    # The newest first, all there is.
    newest = pgwallet.statement(reader, its.account_id, limit=2, newest_first=True)
    assert newest[1] == row
    reader.rollback()
    slow.commit()
    seal(fast)
    assert len(its.read(reader)) == 3
    reader.rollback()


def test_the_log_is_read_on_up_to_what_the_feed_gave(connect: Connect) -> None:
    slow, fast, reader = connect(), connect(autocommit=True), connect(autocommit=True)
    its = Stage(fast, "commission")
    (start,) = reader.execute("select last_value from pgwallet.posting_id_seq").fetchone() or (0,)
    its.post(slow, 0)
    its.post(fast, 1)

    def read() -> list[int]:
        rows = pgwallet.read_feed(reader, start)
        logged = reader.execute(
            "select posting_id from pgwallet.transaction_log "
            "where posting_id > %s and posting_id <= %s order by 1",
            [start, rows[-1].posting_id],
        ).fetchall()
        return [row[0] for row in logged]

    with blocked(reader, fast, read, "Timeout") as logged:
        slow.commit()
        ids = logged.result()
    assert ids == list(range(start + 1, start + 1 + len(ids)))
    assert set(its.all(fast)[-2:]) <= set(ids)
