"""record_check finds what check_ledger finds, and writes down that somebody looked."""

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import value
from tests.seals.history import without_waiting

pytestmark = pytest.mark.sql


@pytest.fixture
def wallet_id(conn: psycopg.Connection) -> int:
    wallet_id = pgwallet.create_wallet(conn, "ann").wallet_id
    pgwallet.deposit(conn, wallet_id, 5)
    return wallet_id


def spoil(conn: psycopg.Connection, balance: str) -> None:
    conn.execute(
        "update pgwallet.account set balance = %s::numeric where kind = 'wallet'", [balance]
    )


def last_event(conn: psycopg.Connection) -> pgwallet.Event:
    return pgwallet.list_events(conn)[-1]


def test_it_finds_what_check_ledger_finds(conn: psycopg.Connection, wallet_id: int) -> None:
    assert pgwallet.record_check(conn) == []
    spoil(conn, "6.00")
    assert pgwallet.record_check(conn) == pgwallet.check_ledger(conn) != []


def test_the_event_says_when_from_where_on_and_how_much(
    conn: psycopg.Connection, wallet_id: int
) -> None:
    before = value(conn, "select clock_timestamp()")
    spoil(conn, "6.00")
    pgwallet.record_check(conn, 7)
    event = last_event(conn)
    assert (event.kind, event.subject_id, event.before) == ("record_check", None, None)
    assert event.after["since_transaction_id"] == 7
    assert event.after["violation_count"] == len(pgwallet.check_ledger(conn, 7))
    assert value(conn, "select %s::timestamptz >= %s", event.after["checked_at"], before)
    assert value(conn, "select %s::timestamptz <= %s", event.after["checked_at"], event.created_at)


@pytest.mark.parametrize("since", [0, -1, None])
def test_a_check_of_everything_counts_as_one(
    conn: psycopg.Connection, wallet_id: int, since: int | None
) -> None:
    conn.execute("select from pgwallet.record_check(%s)", [since])
    assert pgwallet.ledger_metrics(conn).checked_at is not None


def test_the_most_that_was_found_since_the_last_whole_check_counts(
    conn: psycopg.Connection, wallet_id: int
) -> None:
    """A check of a part neither makes the whole one younger nor hides what another part has."""
    assert pgwallet.ledger_metrics(conn).violation_count is None
    spoil(conn, "6.00")
    pgwallet.record_check(conn)
    whole = pgwallet.ledger_metrics(conn)
    spoil(conn, "5.00")
    pgwallet.record_check(conn, 10**9)
    assert pgwallet.ledger_metrics(conn) == whole
    assert whole.violation_count == 1
    pgwallet.record_check(conn)
    assert pgwallet.ledger_metrics(conn).violation_count == 0


def test_a_part_that_is_broken_counts_before_anybody_checked_the_whole(
    conn: psycopg.Connection, wallet_id: int
) -> None:
    spoil(conn, "6.00")
    last = value(conn, "select max(transaction_id) from pgwallet.transaction")
    pgwallet.record_check(conn, last - 1)
    metrics = pgwallet.ledger_metrics(conn)
    assert (metrics.checked_at, metrics.violation_count) == (None, 1)


def test_ids_are_counted_from_nothing_on(conn: psycopg.Connection) -> None:
    conn.execute("select setval('pgwallet.posting_id_seq', 1, false)")
    conn.execute("select setval('pgwallet.transaction_id_seq', 7)")
    metrics = pgwallet.ledger_metrics(conn)
    assert (metrics.last_posting_id, metrics.last_transaction_id) == (0, 7)


def test_the_last_seal_is_told(conn: psycopg.Connection, wallet_id: int) -> None:
    assert pgwallet.ledger_metrics(conn).sealed_posting_id is None
    without_waiting(conn)
    for _ in range(2):
        pgwallet.deposit(conn, wallet_id, 1)
        seal = pgwallet.seal_ledger(conn)
    assert seal is not None
    metrics = pgwallet.ledger_metrics(conn)
    assert (metrics.sealed_at, metrics.sealed_posting_id) == (seal.sealed_at, seal.posting_id)
    assert metrics.sealed_posting_id == metrics.last_posting_id


def test_the_oldest_transaction_that_waits_for_a_seal_is_told(
    conn: psycopg.Connection, wallet_id: int
) -> None:
    pgwallet.deposit(conn, wallet_id, 5)
    waits = pgwallet.ledger_metrics(conn).oldest_unsealed_at
    assert waits == value(conn, "select min(created_at) from pgwallet.transaction")
    without_waiting(conn)
    assert pgwallet.seal_ledger(conn) is not None
    assert pgwallet.ledger_metrics(conn).oldest_unsealed_at is None
    later = pgwallet.deposit(conn, wallet_id, 5).transaction_id
    pgwallet.deposit(conn, wallet_id, 5)
    assert (
        pgwallet.ledger_metrics(conn).oldest_unsealed_at
        == pgwallet.get_transaction(conn, later).created_at
    )
