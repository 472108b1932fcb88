"""After a restore or failover that lost commits, no id is given to something else."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import pgwallet
from tests.catalogue.world import world_in
from tests.databases import as_owner
from tests.ledger.calling import everything, funded, value
from tests.waiting import wait_until_blocked

pytestmark = pytest.mark.sql

LOST = 40
MARGIN = 10**6
MANY = 7000  # postings: the first step takes 2,000 ids, the next one twice as many

NEXT = "select sequence_name, next_value from pgwallet.list_sequences() order by 1"


def next_ids(conn: psycopg.Connection) -> dict[str, int]:
    return dict(conn.execute(NEXT).fetchall())


@contextmanager
def as_it_was(server: str, database: str) -> Iterator[str]:
    """What the database holds now, in another one: what a restore to this moment brings back."""
    name = f"pgwallet_test_{secrets.token_hex(6)}"
    source = str(conninfo_to_dict(database)["dbname"])
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(source)
            )
        )
        try:
            yield make_conninfo(database, dbname=name)
        finally:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def projects(conn: psycopg.Connection, word: str) -> set[int]:
    return {pgwallet.create_project(conn, f"{word}-{number}").project_id for number in range(LOST)}


def test_ids_that_were_lost_are_given_again_only_without_it(server: str, database: str) -> None:
    with as_it_was(server, database) as restored, as_it_was(server, database) as mended:
        with psycopg.connect(database) as conn:
            lost = projects(conn, "lost")
            funded(conn, "ada", 5)
            last = next_ids(conn)
        with psycopg.connect(restored) as conn:
            assert len(lost & projects(conn, "new")) == LOST
        with psycopg.connect(mended) as conn:
            pgwallet.skip_ids(conn, MARGIN)
            assert min(projects(conn, "new")) > max(lost)
            funded(conn, "bob", 5)
            assert value(conn, "select min(transaction_id) from pgwallet.transaction") >= MARGIN
            assert value(conn, "select min(posting_id) from pgwallet.posting") >= MARGIN
            events = pgwallet.list_events(conn, limit=1000)
            assert [event.event_id for event in events if event.event_id >= last["event_id_seq"]]
            assert pgwallet.check_ledger(conn) == []


def test_it_says_from_what_to_what_and_writes_it_down(conn: psycopg.Connection) -> None:
    before = next_ids(conn)

    rows = pgwallet.skip_ids(conn, MARGIN)

    assert {row.sequence_name: row.next_before for row in rows} == before
    assert {row.next_after - row.next_before for row in rows} == {MARGIN}
    (event,) = (event for event in pgwallet.list_events(conn) if event.kind == "skip_ids")
    assert event.before == before
    assert event.after == {row.sequence_name: row.next_after for row in rows}
    # It is the first that took an id from beyond.
    assert event.event_id == event.after["event_id_seq"]
    after = next_ids(conn)
    assert after.pop("event_id_seq") == event.event_id + 1
    assert after == {name: event.after[name] for name in after}


def test_every_sequence_of_the_schema_is_moved(conn: psycopg.Connection) -> None:
    there = conn.execute(
        "select sequencename::text from pg_sequences where schemaname = 'pgwallet'"
    ).fetchall()
    moved = [row.sequence_name for row in pgwallet.skip_ids(conn, MARGIN)]
    assert sorted(moved) == sorted(name for (name,) in there)


def test_a_dry_run_says_the_same_and_moves_nothing(conn: psycopg.Connection) -> None:
    before, rows = next_ids(conn), everything(conn)

    planned = pgwallet.skip_ids(conn, MARGIN, dry_run=True)

    assert (next_ids(conn), everything(conn)) == (before, rows)
    assert pgwallet.skip_ids(conn, MARGIN) == planned


def test_a_sequence_behind_its_table_is_moved_past_it(conn: psycopg.Connection) -> None:
    """As after logical replication, which carries rows and no sequences."""
    world_in(conn)
    rows = conn.execute("select sequence_name, highest_value from pgwallet.list_sequences()")
    highest: dict[str, int] = dict(rows.fetchall())
    for name in highest:
        conn.execute("select setval(%s, 1, false)", [f"pgwallet.{name}"])
    assert pgwallet.check_ledger(conn)

    for row in pgwallet.skip_ids(conn, MARGIN):
        assert (row.next_before, row.next_after) == (1, highest[row.sequence_name] + 1 + MARGIN)

    assert pgwallet.check_ledger(conn) == []
    funded(conn, "dora", 1)


@pytest.mark.parametrize("margin", [0, MARGIN - 1, 10**9 + 1])
def test_a_margin_that_calls_may_overtake_is_refused(conn: psycopg.Connection, margin: int) -> None:
    before = next_ids(conn)
    with pytest.raises(pgwallet.InvalidArgument, match=f"margin {margin} is not valid"):
        pgwallet.skip_ids(conn, margin)
    conn.rollback()
    assert next_ids(conn) == before


def test_a_rollback_does_not_bring_them_back(conn: psycopg.Connection) -> None:
    before = next_ids(conn)
    with conn.transaction(force_rollback=True):
        pgwallet.skip_ids(conn, MARGIN)
    assert next_ids(conn)["id_seq"] == before["id_seq"] + MARGIN


def test_of_two_at_once_neither_sets_back_what_the_other_moved(database: str) -> None:
    owner = as_owner(database)
    with (
        psycopg.connect(owner) as first,
        psycopg.connect(owner) as second,
        psycopg.connect(database) as observer,
        ThreadPoolExecutor() as pool,
    ):
        before = next_ids(first)["id_seq"]
        pgwallet.skip_ids(first, MARGIN)
        work = pool.submit(pgwallet.skip_ids, second, 10 * MARGIN)
        wait_until_blocked(observer, second.info.backend_pid, work)
        project = pgwallet.create_project(first, "meanwhile").project_id
        first.commit()
        (moved,) = (row for row in work.result() if row.sequence_name == "id_seq")
    assert project >> 10 == before + MARGIN
    assert moved.next_before > project >> 10
    assert moved.next_after == moved.next_before + 10 * MARGIN


def test_a_project_with_an_id_of_its_own_waits_so_that_ids_do_not_go_back(database: str) -> None:
    """It sets the sequence to what it read before."""
    with (
        psycopg.connect(as_owner(database)) as first,
        psycopg.connect(database) as second,
        psycopg.connect(database) as observer,
        ThreadPoolExecutor() as pool,
    ):
        pgwallet.skip_ids(first, MARGIN)
        work = pool.submit(lambda: pgwallet.create_project(second, "film", project_id=1024 * 1000))
        wait_until_blocked(observer, second.info.backend_pid, work)
        first.commit()
        work.result()
        second.commit()
        assert next_ids(second)["id_seq"] > MARGIN


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_statement_passes_over_any_number_of_ids(database: str, newest_first: bool) -> None:
    """An account that no index leads to is read range by range; a shard's begin at 2^46."""
    with psycopg.connect(database) as conn:
        wallet_id = funded(conn, "ada", 1)
        conn.execute("select setval('pgwallet.posting_id_seq', 1::bigint << 46)")
        pgwallet.deposit(conn, wallet_id, 2)
        external = value(
            conn, "select external_account_id from pgwallet.currency where currency = 'EUR'"
        )
        conn.execute("set local statement_timeout = '5s'")
        rows = pgwallet.statement(conn, external, newest_first=newest_first)
    amounts = [-row.amount for row in rows]
    assert amounts == ([2, 1] if newest_first else [1, 2])


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_statement_in_several_steps_has_every_posting_once(
    database: str, newest_first: bool
) -> None:
    with psycopg.connect(database) as conn:
        wallet_id = funded(conn, "ada", 1)
        pgwallet.deposit_many(conn, [wallet_id] * MANY, [1] * MANY)
        external = value(
            conn, "select external_account_id from pgwallet.currency where currency = 'EUR'"
        )
        posted = value(
            conn, "select array_agg(posting_id order by posting_id) from pgwallet.posting"
        )
        # One more than there are, which it goes to the end to look for.
        rows = pgwallet.statement(conn, external, limit=len(posted) + 1, newest_first=newest_first)
    assert [row.posting_id for row in rows] == (posted[::-1] if newest_first else posted)
