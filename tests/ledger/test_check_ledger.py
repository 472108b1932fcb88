"""Each invariant broken by hand, by a superuser, and found by check_ledger."""

from itertools import product

import psycopg
import pytest

import pgwallet
from tests.ledger.breaking import GUARDED, GUARDS, guard, sound_ledger, unguard
from tests.ledger.calling import by_hand, value

pytestmark = pytest.mark.sql


@pytest.fixture
def ids(conn: psycopg.Connection) -> dict[str, int]:
    return sound_ledger(conn)


def found(conn: psycopg.Connection) -> set[tuple[str, str]]:
    return {(str(row.invariant), row.subject) for row in pgwallet.check_ledger(conn)}


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
