"""What check_ledger finds of what came after a transaction, and what it reads for that."""

from decimal import Decimal

import psycopg
import pytest

import pgwallet
from tests.ledger.breaking import guard, sound_ledger, unguard
from tests.ledger.calling import funded, project, value

pytestmark = pytest.mark.sql


@pytest.fixture
def ids(conn: psycopg.Connection) -> dict[str, int]:
    return sound_ledger(conn)


def tuples_read(conn: psycopg.Connection, table: str) -> int:
    """Rows of a table that this transaction has read so far, by scans and through indexes."""
    read: int = value(
        conn,
        "select seq_tup_read + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables "
        "where relid = %s::regclass",
        f"pgwallet.{table}",
    )
    return read


def test_what_happened_before_is_left_out_when_asked(
    conn: psycopg.Connection, ids: dict[str, int]
) -> None:
    last = value(conn, "select max(transaction_id) from pgwallet.transaction")
    other = funded(conn, "bob", 50)
    conn.execute(
        "update pgwallet.account set balance = balance + 1 where account_id = %s", [ids["wallet"]]
    )
    assert pgwallet.check_ledger(conn, last) == []
    pgwallet.withdraw(conn, ids["wallet"], 1)
    pgwallet.withdraw(conn, other, 1)
    rows = pgwallet.check_ledger(conn, last)
    assert [row.subject for row in rows] == [f"wallet {ids['wallet']}"]


def test_the_last_posting_before_is_what_later_ones_are_held_against(
    conn: psycopg.Connection, ids: dict[str, int]
) -> None:
    last = value(conn, "select max(transaction_id) from pgwallet.transaction")
    pgwallet.deposit(conn, ids["wallet"], 5)
    unguard(conn)
    conn.execute(
        "update pgwallet.posting set destination_balance = destination_balance + 1 "
        "where transaction_id > %s",
        [last],
    )
    conn.execute(
        "update pgwallet.account set balance = balance + 1 where account_id = %s", [ids["wallet"]]
    )
    guard(conn)
    (row,) = pgwallet.check_ledger(conn, last)
    assert (row.invariant, row.subject) == (1, f"wallet {ids['wallet']}")


@pytest.mark.parametrize(
    ("change", "invariant", "subject"),
    [
        ("update pgwallet.escrow set amount = amount + 1 where escrow_id = {new}", 2, "project"),
        ("delete from pgwallet.escrow where escrow_id = {locked}", 2, "project"),
        ("update pgwallet.escrow set net_amount = 1 where escrow_id = {new}", 3, "escrow"),
        ("delete from pgwallet.transaction where escrow_id = {new}", 5, "posting"),
        ("update pgwallet.escrow set wallet_id = {locked} where escrow_id = {new}", 3, "escrow"),
        (
            "update pgwallet.posting set created_at = '2000-01-01' where transaction_id > {last}",
            1,
            "wallet",
        ),
        (
            "update pgwallet.transaction set kind = 'refund' where escrow_id = {new}",
            7,
            "transaction",
        ),
        ("update pgwallet.transaction set request = 'x' where escrow_id = {new}", 6, "transaction"),
        ("insert into pgwallet.transaction (kind) values ('payout')", 7, "transaction"),
        ("delete from pgwallet.posting where transaction_id > {last}", 7, "transaction"),
        (
            "update pgwallet.account set external_account_id = 0 where account_id = {wallet}",
            7,
            "wallet",
        ),
        ("update pgwallet.wallet set allocation_percentage = 7", 7, "wallet"),
        ("alter table pgwallet.settings disable trigger refuse_change", 5, "table"),
        (
            "update pgwallet.posting set destination_account_id = "
            "(select external_account_id from pgwallet.currency where currency = 'JPY') "
            "where transaction_id = (select transaction_id from pgwallet.transaction "
            "where escrow_id = {new})",
            4,
            "currency JPY",
        ),
    ],
)
def test_each_invariant_is_looked_at_for_what_is_new(
    conn: psycopg.Connection, ids: dict[str, int], change: str, invariant: int, subject: str
) -> None:
    last = value(conn, "select max(transaction_id) from pgwallet.transaction")
    new = pgwallet.pledge(conn, ids["wallet"], ids["project"], 10, idempotency_key="new").escrow_id
    assert pgwallet.check_ledger(conn, last) == []
    unguard(conn)
    conn.execute("alter table pgwallet.escrow drop constraint escrow_parts_check")
    named = {"new": new, "locked": ids["escrow"], "wallet": ids["wallet"], "last": last}
    conn.execute(change.format(**named).encode())
    guard(conn)
    found = {(row.invariant, row.subject) for row in pgwallet.check_ledger(conn, last)}
    assert any(row[0] == invariant and row[1].startswith(subject) for row in found), found


def test_a_check_of_what_is_new_reads_nothing_from_before(
    conn: psycopg.Connection, ids: dict[str, int]
) -> None:
    many = [funded(conn, f"backer {number}", 10) for number in range(200)] * 10
    pgwallet.deposit_many(conn, many, [Decimal(10)] * 2000)
    pgwallet.pledge_many(conn, ids["project"], many, [Decimal(1)] * 2000)
    new = project(conn, "new")
    last = value(conn, "select max(transaction_id) from pgwallet.transaction")
    for _ in range(3):
        pgwallet.pledge(conn, ids["wallet"], new, 5)
    conn.execute("analyze pgwallet.posting, pgwallet.escrow, pgwallet.transaction")
    tables = ["posting", "escrow", "transaction"]
    before = {table: tuples_read(conn, table) for table in tables}
    assert pgwallet.check_ledger(conn, last) == []
    read = {table: tuples_read(conn, table) - before[table] for table in tables}
    assert max(read.values()) < 200, read
    assert pgwallet.check_ledger(conn) == []
    assert tuples_read(conn, "posting") - before["posting"] > 4000


def test_what_came_later_is_sound_when_the_whole_is(
    conn: psycopg.Connection, ids: dict[str, int]
) -> None:
    pgwallet.refund_escrow(conn, ids["escrow"], 5)
    pgwallet.release_escrow(conn, ids["escrow"], 10)
    # Its net is below 0 then, and what comes later makes more net than there is of it.
    pgwallet.refund_release(conn, ids["escrow"], keep_fees=True)
    pgwallet.release_escrow(conn, ids["escrow"])
    pgwallet.payout(conn, ids["project"], 1)
    transactions = conn.execute("select transaction_id from pgwallet.transaction").fetchall()
    for (transaction_id,) in transactions:
        assert pgwallet.check_ledger(conn, transaction_id) == []
