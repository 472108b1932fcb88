"""read_feed: each posting once, in order, also while others write."""

import re
from functools import partial

import psycopg
import pytest
from psycopg import IsolationLevel

import pgwallet
from tests.catalogue.world import world_in
from tests.concurrency.calls import fresh
from tests.concurrency.sessions import HIGHER, at_once, blocked
from tests.conftest import Connect
from tests.following.sealing import seal
from tests.ledger.calling import funded, last_posting, project

pytestmark = pytest.mark.sql

XID = "select pg_current_xact_id_if_assigned()"


@pytest.fixture(scope="module")
def database(crowded_database: str) -> str:
    return crowded_database


def end_of(conn: psycopg.Connection) -> int:
    """The last id drawn. What other tests have left is before it."""
    row = conn.execute(
        "select last_value - 1 + is_called::int from pgwallet.posting_id_seq"
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_it_has_each_posting_once_in_order_with_what_the_call_said(connect: Connect) -> None:
    conn = connect(autocommit=True)
    start = end_of(conn)
    world_in(conn, fresh("world"))
    wallet = funded(conn, fresh("ada"), 10)
    pgwallet.withdraw(
        conn,
        wallet,
        1,
        idempotency_key=fresh("key"),
        metadata={"order": 17},
    )
    rows = pgwallet.read_feed(conn, start)
    logged = conn.execute(
        """
        select
          l.posting_id, l.transaction_id, l.kind::text, l.source_account_id,
          l.destination_account_id, l.amount, l.currency::text, l.escrow_id, l.idempotency_key,
          l.metadata, l.created_at, l.effective_at
        from pgwallet.transaction_log as l where l.posting_id > %s order by l.posting_id
        """,
        [start],
    ).fetchall()
    assert rows == [pgwallet.FeedRow(*row) for row in logged]
    assert len({row.kind for row in rows}) > 6
    assert rows[-1].metadata == {"order": 17}


def test_the_next_page_goes_on_where_the_last_one_ended(connect: Connect) -> None:
    conn = connect(autocommit=True)
    wallet = funded(conn, fresh("ada"), 10)
    start = last_posting(conn, wallet)
    for _ in range(7):
        pgwallet.deposit(conn, wallet, 10)
    whole = pgwallet.read_feed(conn, start)
    paged, after = [], start
    while page := pgwallet.read_feed(conn, after, 3):
        paged += page
        after = page[-1].posting_id
    assert paged == whole
    assert len(whole) == 7


def test_a_page_is_full_whatever_ids_are_missing(connect: Connect) -> None:
    conn = connect(autocommit=True)
    wallet, start = funded(conn, fresh("ada"), 10), end_of(conn)
    for width in (0, 1, 10, 5000):
        pgwallet.deposit(conn, wallet, 1)
        conn.execute("select setval('pgwallet.posting_id_seq', %s)", [end_of(conn) + width])
    pgwallet.deposit(conn, wallet, 1)
    assert len(pgwallet.read_feed(conn, start, 3)) == 3
    assert len(pgwallet.read_feed(conn, start, 5)) == 5
    assert [row.posting_id for row in pgwallet.read_feed(conn, end_of(conn) - 1)] == [end_of(conn)]


def test_where_nothing_came_it_draws_no_xid_and_works_anywhere(connect: Connect) -> None:
    conn = connect()
    wallet = funded(conn, fresh("ada"), 10)
    conn.commit()
    pgwallet.deposit(conn, wallet, 1)
    conn.rollback()  # the last id that was drawn is of no posting
    before = end_of(conn) - 1
    assert pgwallet.read_feed(conn, before) == []
    assert pgwallet.read_feed(conn, end_of(conn)) == []
    assert conn.execute(XID).fetchone() == (None,)
    pgwallet.deposit(conn, wallet, 1)
    assert pgwallet.read_feed(conn, end_of(conn)) == []
    conn.rollback()


def test_what_is_still_being_written_is_waited_for(connect: Connect) -> None:
    writer, reader, observer = connect(), connect(autocommit=True), connect(autocommit=True)
    slow, fast = (funded(observer, fresh("ada"), 10) for _ in range(2))
    start = end_of(observer)
    pgwallet.deposit(writer, slow, 1)
    pgwallet.deposit(observer, fast, 1)
    with blocked(reader, observer, partial(pgwallet.read_feed, reader, start), "Timeout") as read:
        writer.commit()
        rows = read.result()
    assert [row.posting_id for row in rows] == [start + 1, start + 2]
    assert [row.destination_account_id for row in rows] == [slow, fast]


def test_what_came_while_it_waited_is_left_for_the_next_page(connect: Connect) -> None:
    """Smaller ids may still be missing among it."""
    writer, late = connect(), connect()
    reader, observer = connect(autocommit=True), connect(autocommit=True)
    wallets = [funded(observer, fresh("ada"), 10) for _ in range(3)]
    start = end_of(observer)
    pgwallet.deposit(observer, wallets[0], 1)
    pgwallet.deposit(writer, wallets[1], 1)
    with blocked(reader, observer, partial(pgwallet.read_feed, reader, start), "Timeout") as read:
        pgwallet.deposit(late, wallets[2], 1)
        pgwallet.deposit(observer, wallets[0], 1)
        writer.commit()
        assert [row.posting_id for row in read.result()] == [start + 1, start + 2]
    late.commit()
    rows = pgwallet.read_feed(reader, start + 2)
    assert [row.posting_id for row in rows] == [start + 3, start + 4]


def test_nobody_is_waited_for_on_account_of_what_is_sealed(connect: Connect) -> None:
    writer, conn = connect(), connect()
    start = end_of(conn)
    wallet, other = funded(conn, fresh("ada"), 10), funded(conn, fresh("eve"), 10)
    conn.commit()
    sealed = seal(conn)
    conn.commit()
    pgwallet.deposit(writer, other, 1)
    conn.execute("set statement_timeout = '5s'")
    assert [row.posting_id for row in pgwallet.read_feed(conn, start, 2)] == [sealed - 1, sealed]
    assert conn.execute(XID).fetchone() == (None,)
    conn.commit()
    writer.commit()
    pgwallet.deposit(conn, wallet, 1)
    conn.commit()
    rows = pgwallet.read_feed(conn, start, 4)
    assert [row.posting_id for row in rows] == [sealed - 1, sealed, sealed + 1, sealed + 2]


def test_it_works_in_a_transaction_that_only_reads(connect: Connect) -> None:
    conn, reader = connect(autocommit=True), connect()
    wallet = funded(conn, fresh("ada"), 10)
    start = last_posting(conn, wallet)
    pgwallet.deposit(conn, wallet, 1)
    reader.read_only = True
    assert [row.posting_id for row in pgwallet.read_feed(reader, start)] == [start + 1]
    reader.rollback()


def test_a_batch_tells_which_escrows_it_settled(connect: Connect) -> None:
    conn = connect(autocommit=True)
    wallet, film = funded(conn, fresh("ada"), 100), project(conn, fresh("film"))
    escrows = [pgwallet.pledge(conn, wallet, film, 10).escrow_id for _ in range(3)]
    start = last_posting(conn, wallet)
    pgwallet.close_project(conn, film, "succeeded")
    batch = pgwallet.release_escrows(conn, film)
    rows = pgwallet.read_feed(conn, start)
    assert {(row.transaction_id, row.kind, row.escrow_id) for row in rows} == {
        (batch.transaction_id, "release", None)
    }
    settled = pgwallet.list_settled_escrows(conn, rows[0].transaction_id)
    assert [each.escrow_id for each in settled] == escrows


def test_it_has_no_metadata_that_were_erased(connect: Connect) -> None:
    conn = connect(autocommit=True)
    wallet = funded(conn, fresh("ada"), 1)
    start = last_posting(conn, wallet)
    pgwallet.deposit(conn, wallet, 1, metadata={"name": "Ada"})
    pgwallet.erase_owner(conn, wallet)
    assert [row.metadata for row in pgwallet.read_feed(conn, start)] == [None]


@pytest.mark.parametrize("level", HIGHER, ids=[each.name.lower() for each in HIGHER])
def test_at_a_higher_level_it_says_that_it_cannot(connect: Connect, level: IsolationLevel) -> None:
    conn = connect()
    start = end_of(conn)
    funded(conn, fresh("ada"), 10)
    conn.commit()
    conn.isolation_level = level
    with pytest.raises(psycopg.errors.ActiveSqlTransaction):
        pgwallet.read_feed(conn, start)


def test_several_pages_are_read_in_one_transaction(connect: Connect) -> None:
    conn = connect()
    start = end_of(conn)
    wallet = funded(conn, fresh("ada"), 10)
    conn.commit()
    for number in (1, 2):
        assert len(pgwallet.read_feed(conn, start)) == number
        pgwallet.deposit(conn, wallet, 1)
    conn.rollback()


def test_two_transactions_that_have_written_do_not_wait_for_each_other_for_ever(
    connect: Connect,
) -> None:
    """The first one is refused, and what it had written is gone for the other."""
    both = [connect(), connect()]
    start = end_of(both[0])
    for conn in both:
        funded(conn, fresh("ada"), 10)

    def read(conn: psycopg.Connection) -> int | str | None:
        try:
            return len(pgwallet.read_feed(conn, start))
        except psycopg.errors.ActiveSqlTransaction as error:
            return error.sqlstate

    answers = at_once([partial(read, conn) for conn in both])
    assert "25001" in answers
    assert set(answers) <= {"25001", 1}
    for conn in both:
        conn.rollback()


def test_a_page_reads_a_few_pages_of_the_table_wherever_it_is(connect: Connect) -> None:
    """Also where the server has not come to with its index."""
    conn = connect(autocommit=True)
    wallets = [funded(conn, fresh("ada"), 0) for _ in range(10)] * 200
    start = end_of(conn)
    for _ in range(5):
        pgwallet.deposit_many(conn, wallets, [1] * len(wallets))
    conn.execute(
        """
        select brin_desummarize_range('pgwallet.posting_id_idx', n)
        from generate_series(0, pg_relation_size('pgwallet.posting') / 8192, 32) as n
        """
    )
    assert len(pgwallet.read_feed(conn, start, 10)) == 10
    for after in (start, start + 5000, start + 9900):
        lines = conn.execute(
            b"explain (analyze, buffers, costs off, timing off) "
            b"select * from pgwallet._read_range(%d, %d)" % (after, after + 10)
        ).fetchall()
        read = sum(int(n) for n in re.findall(r"hit=(\d+)", str(lines[:2])))
        assert read < 100, lines


def test_the_index_covers_what_the_function_takes_it_to_cover(connect: Connect) -> None:
    row = (
        connect()
        .execute("select reloptions from pg_class where oid = 'pgwallet.posting_id_idx'::regclass")
        .fetchone()
    )
    assert row is not None
    assert "pages_per_range=32" in row[0]
