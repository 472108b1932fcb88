"""Each invariant broken by hand, by a superuser, and found by check_ledger."""

from decimal import Decimal
from itertools import product

import psycopg
import pytest

import pgwallet
from tests.ledger.calling import by_hand, funded, project, value

pytestmark = pytest.mark.sql


@pytest.fixture
def ids(conn: psycopg.Connection) -> dict[str, int]:
    """A sound ledger with something of everything."""
    wallet_id = funded(conn, "ada", 100)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "holiday", 50).pocket_id
    pgwallet.allocate_deposit(conn, wallet_id, 20)
    project_id = project(conn)
    released = pgwallet.pledge(conn, wallet_id, project_id, 30).escrow_id
    locked = pgwallet.pledge(conn, wallet_id, project_id, 20, idempotency_key="once").escrow_id
    pgwallet.release_escrow(conn, released)
    assert pgwallet.check_ledger(conn) == []
    return {
        "wallet": wallet_id,
        "pocket": pocket_id,
        "project": project_id,
        "escrow": locked,
        "released": released,
    }


def found(conn: psycopg.Connection) -> set[tuple[str, str]]:
    return {(str(row.invariant), row.subject) for row in pgwallet.check_ledger(conn)}


GUARDED = ("transaction", "posting", "account", "wallet", "pocket", "project", "escrow")
GUARDS = (
    *product(GUARDED, ("refuse_change", "refuse_row_change")),
    ("transaction", "refuse_changed_row"),
)


def unguard(conn: psycopg.Connection) -> None:
    _turn_guards(conn, "disable")


def guard(conn: psycopg.Connection) -> None:
    _turn_guards(conn, "enable always")


def _turn_guards(conn: psycopg.Connection, how: str) -> None:
    by_hand(
        conn,
        ";".join(f"alter table pgwallet.{table} {how} trigger {name}" for table, name in GUARDS),
    )


def tuples_read(conn: psycopg.Connection, table: str) -> int:
    """Rows of a table that this transaction has read so far, by scans and through indexes."""
    read: int = value(
        conn,
        "select seq_tup_read + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables "
        "where relid = %s::regclass",
        f"pgwallet.{table}",
    )
    return read


@pytest.mark.parametrize("kind", ["wallet", "pocket", "project"])
def test_1_a_balance_that_its_postings_do_not_make(
    conn: psycopg.Connection, ids: dict[str, int], kind: str
) -> None:
    conn.execute(
        "update pgwallet.account set balance = balance + 0.01 where account_id = %s", [ids[kind]]
    )
    assert found(conn) == {("1", f"{kind} {ids[kind]}")}
    (row,) = pgwallet.check_ledger(conn)
    balance = pgwallet.balance(conn, ids[kind])
    assert str(balance) in row.detail


def test_1_a_balance_below_zero(conn: psycopg.Connection, ids: dict[str, int]) -> None:
    conn.execute("alter table pgwallet.account drop constraint account_balance_check")
    conn.execute(
        "update pgwallet.account set balance = -balance where account_id = %s", [ids["wallet"]]
    )
    assert found(conn) == {("1", f"wallet {ids['wallet']}"), ("1", "table pgwallet.account")}


def test_1_a_balance_below_zero_that_its_postings_make(
    conn: psycopg.Connection, ids: dict[str, int]
) -> None:
    pgwallet.withdraw(conn, ids["wallet"], pgwallet.balance(conn, ids["wallet"]))
    conn.execute("alter table pgwallet.account drop constraint account_balance_check")
    conn.execute(
        "insert into pgwallet.posting "
        "(transaction_id, source_account_id, destination_account_id, amount, source_balance) "
        "select p.transaction_id, p.source_account_id, p.destination_account_id, 1, -1 "
        "from pgwallet.posting as p order by p.posting_id desc limit 1"
    )
    conn.execute("update pgwallet.account set balance = -1 where account_id = %s", [ids["wallet"]])
    assert ("1", f"wallet {ids['wallet']}") in found(conn)


@pytest.mark.parametrize("side", ["source", "destination"])
def test_1_a_posting_that_lost_the_balance_after_it(
    conn: psycopg.Connection, ids: dict[str, int], side: str
) -> None:
    unguard(conn)
    posting_id = value(
        conn,
        f"update pgwallet.posting set {side}_balance = null where source_account_id = %s "
        "and destination_account_id = %s returning posting_id",
        ids["wallet"],
        ids["pocket"],
    )
    guard(conn)
    assert ("1", f"posting {posting_id}") in found(conn)


@pytest.mark.parametrize("side", ["source", "destination"])
def test_1_a_posting_that_does_not_go_on_from_the_one_before(
    conn: psycopg.Connection, ids: dict[str, int], side: str
) -> None:
    pgwallet.deposit(conn, ids["wallet"], 5)
    pgwallet.withdraw(conn, ids["wallet"], 5)
    unguard(conn)
    posting_id = value(
        conn,
        f"update pgwallet.posting set {side}_balance = {side}_balance + 0.01 "
        f"where posting_id = (select min(posting_id) from pgwallet.posting "
        f"where {side}_account_id = %s) returning posting_id",
        ids["wallet"],
    )
    guard(conn)
    (row,) = pgwallet.check_ledger(conn)
    assert (row.invariant, row.subject) == (1, f"wallet {ids['wallet']}")
    assert f"Posting {posting_id} " in row.detail


def test_2_an_escrow_account_that_its_escrows_do_not_make(
    conn: psycopg.Connection, ids: dict[str, int]
) -> None:
    conn.execute(
        "update pgwallet.escrow set amount = amount + 1 where escrow_id = %s", [ids["escrow"]]
    )
    assert found(conn) == {
        ("2", f"project {ids['project']}"),
        ("3", f"project {ids['project']}"),
        ("3", f"escrow {ids['escrow']}"),
    }


def test_2_an_escrow_that_is_gone(conn: psycopg.Connection, ids: dict[str, int]) -> None:
    unguard(conn)
    conn.execute("delete from pgwallet.escrow where escrow_id = %s", [ids["escrow"]])
    guard(conn)
    assert ("2", f"project {ids['project']}") in found(conn)


@pytest.mark.parametrize(
    "change",
    [
        "net_amount = net_amount - 0.01",
        "commission_amount = -commission_amount, net_amount = net_amount + 2 * commission_amount",
        "status = 'locked'",
        "status = 'refunded'",
        "status = 'settled'",
        "amount = amount + 5, refunded_amount = 5",
        "wallet_id = 0",
    ],
)
def test_3_an_escrow_whose_parts_do_not_fit(
    conn: psycopg.Connection, ids: dict[str, int], change: str
) -> None:
    conn.execute("alter table pgwallet.escrow drop constraint escrow_parts_check")
    conn.execute("alter table pgwallet.escrow drop constraint escrow_status_check")
    conn.execute(
        f"update pgwallet.escrow set {change} where escrow_id = %s".encode(), [ids["released"]]
    )
    assert ("3", f"escrow {ids['released']}") in found(conn)


def test_3_a_project_is_told_which_of_its_sums_differ(
    conn: psycopg.Connection, ids: dict[str, int]
) -> None:
    unguard(conn)
    conn.execute("delete from pgwallet.escrow where escrow_id = %s", [ids["released"]])
    pgwallet.refund_escrow(conn, ids["escrow"], 1)
    conn.execute("update pgwallet.escrow set refunded_amount = 2 where refunded_amount = 1")
    guard(conn)
    details = " ".join(
        row.detail
        for row in pgwallet.check_ledger(conn)
        if (row.invariant, row.subject) == (3, f"project {ids['project']}")
    )
    assert "were pledged 20.00, the postings of its escrow account make 50.00" in details
    assert "were refunded 2, the postings of its escrow account make 1.00" in details
    for what, amount in (("net", "27.63"), ("commission", "1.50"), ("fee", "0.87")):
        made = f"the postings of its escrow account make {amount}"
        assert f"were released as {what} 0, {made}" in details


def test_3_an_escrow_that_gave_more_than_it_had(
    conn: psycopg.Connection, ids: dict[str, int]
) -> None:
    conn.execute("alter table pgwallet.escrow drop constraint escrow_parts_check")
    conn.execute(
        "update pgwallet.escrow set refunded_amount = 1 where escrow_id = %s", [ids["released"]]
    )
    assert ("3", f"escrow {ids['released']}") in found(conn)


def test_1_a_balance_with_other_decimals_than_its_currency(
    conn: psycopg.Connection, ids: dict[str, int]
) -> None:
    by_hand(
        conn,
        "update pgwallet.account set balance = round(balance, 3) where account_id = %s",
        [ids["wallet"]],
    )
    assert found(conn) == {("1", f"wallet {ids['wallet']}")}


def test_4_a_currency_that_does_not_sum_to_zero(
    conn: psycopg.Connection, ids: dict[str, int]
) -> None:
    unguard(conn)
    yen = value(conn, "select external_account_id from pgwallet.currency where currency = 'JPY'")
    conn.execute(
        "update pgwallet.posting set source_account_id = %s where destination_account_id = %s "
        "and source_balance is null and source_account_id <> %s",
        [yen, ids["wallet"], yen],
    )
    guard(conn)
    assert found(conn) == {("4", "currency EUR"), ("4", "currency JPY")}


@pytest.mark.parametrize(
    ("table", "trigger"),
    [
        *GUARDS,
        *product(["settings"], ("refuse_change", "refuse_row_change")),
        ("currency", "refuse_other_decimals"),
    ],
)
@pytest.mark.parametrize(
    "statement",
    [
        "alter table pgwallet.{} disable trigger {}",
        "alter table pgwallet.{} enable trigger {}",
        "drop trigger {1} on pgwallet.{0}",
    ],
)
def test_5_a_table_without_its_guard(
    conn: psycopg.Connection, table: str, trigger: str, statement: str
) -> None:
    conn.execute(statement.format(table, trigger).encode())
    (row,) = pgwallet.check_ledger(conn)
    assert (row.invariant, row.subject) == (5, f"table pgwallet.{table}")
    assert trigger in row.detail.split()


def test_every_constraint_of_the_tables_is_missed_when_it_is_gone(
    conn: psycopg.Connection,
) -> None:
    constraints = conn.execute(
        "select c.conrelid::regclass::text, c.conname from pg_constraint as c "
        "where c.conrelid = any (%s::regclass[]) and c.contype in ('c', 'f', 'p', 'u')",
        [[f"pgwallet.{table}" for table in (*GUARDED, "settings", "currency")]],
    ).fetchall()
    assert len(constraints) > 50
    for table, name in constraints:
        with conn.transaction(force_rollback=True):
            conn.execute(f"alter table {table} drop constraint {name} cascade".encode())
            found = conn.execute("select subject, detail from pgwallet._find_lost_guards()")
            told = (f"table {table}", f"Its constraint {name} is missing or not valid.")
            assert told in found.fetchall()


def test_5_a_transaction_that_is_gone(conn: psycopg.Connection, ids: dict[str, int]) -> None:
    unguard(conn)
    conn.execute("delete from pgwallet.transaction where idempotency_key = 'once'")
    guard(conn)
    assert {(number, subject.split()[0]) for number, subject in found(conn)} == {
        ("5", "posting"),
        ("3", "escrow"),
    }


def test_5_a_posting_that_is_gone(conn: psycopg.Connection, ids: dict[str, int]) -> None:
    unguard(conn)
    conn.execute("delete from pgwallet.posting where destination_account_id = %s", [ids["pocket"]])
    guard(conn)
    assert found(conn) == {("1", f"wallet {ids['wallet']}"), ("1", f"pocket {ids['pocket']}")}


def test_6_a_key_with_two_effects(conn: psycopg.Connection, ids: dict[str, int]) -> None:
    conn.execute("drop index pgwallet.transaction_idempotency_key")
    conn.execute(
        "insert into pgwallet.transaction (kind, idempotency_key, request) "
        "values ('deposit', 'once', 'deposit')"
    )
    assert {("6", "idempotency key 'once'"), ("6", "table pgwallet.transaction")} <= found(conn)


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


def test_it_sees_one_snapshot(conn: psycopg.Connection) -> None:
    """A function that is not stable would take another one for each of its statements."""
    parts = conn.execute(
        r"""
        select p.proname::text, p.provolatile::text from pg_proc as p
        where p.pronamespace = 'pgwallet'::regnamespace
          and p.proname ~ '^(_find_(wrong|lost)_|check_ledger$|list_sequences$)'
        """
    ).fetchall()
    assert len(parts) == 11
    assert {volatile for _, volatile in parts} == {"s"}
