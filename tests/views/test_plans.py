"""One wallet, project or movement is found by indexes, however large the ledger is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests import databases
from tests.ledger.calling import funded, project, value

pytestmark = pytest.mark.sql

BIG = {"account", "escrow", "pocket", "posting", "transaction", "wallet"}

FILLING = """
create temp table backer as
select c.wallet_id
from generate_series(1, 2000) as i
cross join lateral pgwallet.create_wallet(format('backer %s', i)) as c;

select count(k.*) from backer as b
cross join lateral pgwallet.create_pocket(b.wallet_id, 'one') as k;

select count(d.*)
from (select array_agg(b.wallet_id) as ids, array_agg(100.00) as amounts from backer as b) as a
cross join lateral pgwallet.deposit_many(a.ids, a.amounts) as d;

select count(p.*)
from (select array_agg(b.wallet_id) as ids, array_agg(1.00) as amounts from backer as b) as a
cross join pgwallet.project as j
cross join lateral pgwallet.pledge_many(j.project_id, a.ids, a.amounts) as p
where j.reference like 'popular %'
"""


HOUR_BY_HOUR = """
alter table pgwallet.posting disable trigger user;
update pgwallet.posting as p
set created_at = '2026-01-01Z'::timestamptz + n.place * interval '1 hour'
from (
  select o.posting_id, row_number() over (order by o.posting_id) as place
  from pgwallet.posting as o where o.destination_account_id = {}
) as n
where n.posting_id = p.posting_id
"""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Ids of what a few rows of a large ledger belong to."""

    conn: psycopg.Connection
    wallet: int
    pocket: int
    project: int
    escrow: int
    transaction: int
    popular: int
    settled: int
    escrow_in_the_middle: int
    busy: int
    noon: str


@pytest.fixture(scope="module")
def ledger(server: str, template: str) -> Iterator[Ledger]:
    # In a database of its own: what others rolled back makes indexes larger, and plans other ones.
    with (
        databases.created(server, template) as name,
        psycopg.connect(make_conninfo(server, dbname=name)) as conn,
    ):
        popular = [project(conn, f"popular {number}") for number in range(8)]
        conn.execute(FILLING.encode())
        for project_id in popular[:4]:
            conn.execute("select pgwallet.close_project(%s, 'succeeded')", [project_id])
            conn.execute("select pgwallet.release_escrows(%s, 10000)", [project_id])
        wallet_id = funded(conn, "ada", 100)
        small = project(conn, "small")
        pledges = [
            value(conn, "select escrow_id from pgwallet.pledge(%s, %s, 10)", wallet_id, small)
            for _ in range(3)
        ]
        conn.execute("select pgwallet.release_escrow(%s)", [pledges[0]])
        pocket_id = value(
            conn, "select pocket_id from pgwallet.create_pocket(%s, 'rent')", wallet_id
        )
        transaction_id = value(
            conn, "select transaction_id from pgwallet.deposit(%s, 1, 'key')", wallet_id
        )
        busy = funded(conn, "busy", 0)
        conn.execute("select from pgwallet.deposit_many(%s, %s)", [[busy] * 2000, [1] * 2000])
        conn.execute(HOUR_BY_HOUR.format(busy).encode())
        for table in BIG:
            conn.execute(f"analyze pgwallet.{table}".encode())
        yield Ledger(
            conn,
            wallet=wallet_id,
            pocket=pocket_id,
            project=small,
            escrow=pledges[0],
            transaction=transaction_id,
            popular=popular[-1],
            settled=popular[0],
            escrow_in_the_middle=value(
                conn,
                "select escrow_id from pgwallet.escrow where project_id = %s "
                "order by escrow_id offset 1000 limit 1",
                popular[-1],
            ),
            busy=busy,
            noon="'2026-02-01 12:00:00+00'",
        )


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def read_without_a_condition(conn: psycopg.Connection, query: str) -> set[str]:
    """The big tables that a query's plan reads from end to end, by scan or along an index."""
    (plan,) = value(conn, f"explain (format json) {query}")
    return {
        node["Relation Name"]
        for node in nodes(plan["Plan"])
        if node.get("Relation Name") in BIG
        and not {"Index Cond", "Recheck Cond"}.intersection(node)
    }


QUERIES = {
    "wallet by id": "select * from pgwallet.wallet_summary where wallet_id = {0.wallet}",
    "wallet by owner": "select * from pgwallet.wallet_summary where owner_id = 'ada'",
    "pocket by id": "select * from pgwallet.pocket_summary where pocket_id = {0.pocket}",
    "pockets of a wallet": "select * from pgwallet.pocket_summary where wallet_id = {0.wallet}",
    "project by id": "select * from pgwallet.project_summary where project_id = {0.project}",
    "project by reference": "select * from pgwallet.project_summary where reference = 'small'",
    "escrow by id": "select * from pgwallet.escrow_summary where escrow_id = {0.escrow}",
    "escrows of a project": "select * from pgwallet.escrow_summary where project_id = {0.project}",
    "expired escrows": "select * from pgwallet.escrow_summary "
    "where status = 'locked' and expires_at < now()",
    "pledges of a wallet": "select e.* from pgwallet.transaction_log as l "
    "join pgwallet.escrow_summary as e on e.escrow_id = l.escrow_id "
    "where l.source_account_id = {0.wallet} and l.source_balance is not null "
    "and l.kind = 'pledge'",
    "what moved since the last seal": "select * from pgwallet.platform_summary "
    "where currency = 'EUR'",
    "movements of a call": "select * from pgwallet.transaction_log "
    "where transaction_id = {0.transaction}",
    "movements of a key": "select * from pgwallet.transaction_log where idempotency_key = 'key'",
    "movements of a wallet": "select * from pgwallet.transaction_log "
    "where (source_account_id = {0.wallet} and source_balance is not null) "
    "or (destination_account_id = {0.wallet} and destination_balance is not null)",
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_one_thing_is_found_by_index(ledger: Ledger, query: str) -> None:
    assert read_without_a_condition(ledger.conn, query.format(ledger)) == set()


@pytest.mark.parametrize(
    ("query", "whole"),
    [
        ("select * from pgwallet.transaction_log", "transaction"),
        ("select * from pgwallet.transaction_log where owner_id = 'ada'", "posting"),
        ("select * from pgwallet.escrow_summary where wallet_id = {0.wallet}", "escrow"),
    ],
)
def test_what_no_index_leads_to_is_read_as_a_whole(ledger: Ledger, query: str, whole: str) -> None:
    """As docs/how-to/monitoring.md warns; and the test above would notice it."""
    assert whole in read_without_a_condition(ledger.conn, query.format(ledger))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select locked_amount from pgwallet.wallet_summary where wallet_id = {0.wallet}", 20),
        ("select locked_amount from pgwallet.project_summary where project_id = {0.project}", 20),
        ("select count(*) from pgwallet.escrow_summary where project_id = {0.project}", 3),
    ],
)
def test_one_thing_is_found_right_in_a_large_ledger(
    ledger: Ledger, query: str, expected: int
) -> None:
    assert value(ledger.conn, query.format(ledger)) == expected


FETCHED = """
select sum(s.seq_scan)::bigint, sum(s.seq_tup_read + coalesce(s.idx_tup_fetch, 0))::bigint
from pg_stat_xact_user_tables as s
where s.schemaname = 'pgwallet' and s.relname = any (%s)
"""

CALLS = {
    "wallets of an owner": ("list_wallets('ada')", 1),
    "pockets of a wallet": ("list_pockets({0.wallet})", 1),
    "pledges of a wallet": ("list_escrows({0.wallet})", 3),
    "locked pledges of a wallet": ("list_escrows({0.wallet}, p_status => 'locked')", 2),
    "pledges of a wallet to a project": ("list_escrows({0.wallet}, {0.project})", 3),
    "pledges to a project": ("list_escrows(null, {0.project})", 3),
    "a page of a popular project": ("list_escrows(null, {0.popular}, p_limit => 4)", 4),
    "a later page of it": ("list_escrows(null, {0.popular}, null, {0.escrow_in_the_middle}, 4)", 4),
    "a page of a settled project": ("list_escrows(null, {0.settled}, p_limit => 4)", 4),
    "a page of all pledges": ("list_escrows(p_limit => 4)", 4),
    "a statement": ("statement({0.busy}, p_limit => 4)", 4),
    "the newest of it": ("statement({0.busy}, p_limit => 4, p_newest_first => true)", 4),
    "it from a time on": ("statement({0.busy}, 0, 4, p_from => {0.noon})", 4),
    "it until a time, from there back": ("statement({0.busy}, 0, 4, true, null, {0.noon})", 4),
    "a pledge": ("get_escrow({0.escrow})", 1),
    "a project": ("get_project({0.project})", 1),
    "a project by its reference": ("find_project('small')", 1),
    "a transaction": ("get_transaction({0.transaction})", 1),
    "a transaction by its key": ("find_transaction('key')", 1),
}


@pytest.mark.parametrize(("function", "rows"), CALLS.values(), ids=CALLS)
def test_a_function_that_reads_fetches_little_from_a_large_ledger(
    ledger: Ledger, function: str, rows: int
) -> None:
    """Some rows for each that it returns, of 16,000 escrows and twice as many postings."""
    conn = ledger.conn
    before = conn.execute(FETCHED, [[*BIG]]).fetchone()
    assert before is not None
    found = conn.execute(f"select from pgwallet.{function.format(ledger)}".encode()).fetchall()
    after = conn.execute(FETCHED, [[*BIG]]).fetchone()
    assert after is not None
    assert len(found) == rows
    assert after[0] == before[0]
    # To seek a time takes two at each halving, and to plan a few at the ends of indexes.
    assert after[1] - before[1] <= (100 if "noon" in function else 20 + 8 * rows)


def test_what_a_function_fetches_is_counted(ledger: Ledger) -> None:
    """Or the test above would find little in anything."""
    conn = ledger.conn
    before = conn.execute(FETCHED, [[*BIG]]).fetchone()
    conn.execute("select pgwallet.get_project(%s)", [ledger.popular])
    after = conn.execute(FETCHED, [[*BIG]]).fetchone()
    assert before is not None
    assert after is not None
    assert after[1] - before[1] >= 2000
