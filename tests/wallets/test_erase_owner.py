"""Whose wallet it was is forgotten, to the last byte; what moved, and its keys, stay."""

import hashlib
import json
import subprocess
import time
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.catalogue.calls import CALLS, KEYED
from tests.catalogue.world import World
from tests.deployment.programs import client
from tests.ledger.calling import call, everything, funded, project, refused, value
from tests.waiting import DEADLINE

pytestmark = pytest.mark.sql

SECRET = "Lovelace"


@pytest.fixture
def conn(undone: psycopg.Connection) -> psycopg.Connection:
    return undone


def note(conn: psycopg.Connection, transaction_id: int) -> Any:
    return pgwallet.get_transaction(conn, transaction_id).metadata


def test_the_wallet_stays_under_a_made_up_owner(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, SECRET, 10)
    erased = pgwallet.erase_owner(conn, wallet_id)
    assert (erased.wallet_id, erased.currency, str(erased.balance)) == (wallet_id, "EUR", "10.00")
    assert erased.owner_id.startswith("erased-")
    assert pgwallet.list_wallets(conn, SECRET) == []
    (wallet,) = pgwallet.list_wallets(conn, erased.owner_id)
    assert wallet.wallet_id == wallet_id
    # A cluster looks for an owner where wallets of the name would be.
    assert value(conn, "select pgwallet._slot_of(%s)", erased.owner_id) == wallet_id % 1024
    assert pgwallet.deposit(conn, wallet_id, 1).balance == 11


def test_the_owner_may_come_again_and_gets_another_wallet(conn: psycopg.Connection) -> None:
    wallet_id, yen = funded(conn, SECRET, 10), funded(conn, SECRET, 10, "JPY")
    pgwallet.erase_owner(conn, wallet_id)
    again = pgwallet.create_wallet(conn, SECRET)
    assert again.wallet_id not in (wallet_id, yen)
    assert again.balance == 0
    # The other wallet of the same owner is another one to erase.
    assert [wallet.wallet_id for wallet in pgwallet.list_wallets(conn, SECRET)] == [
        again.wallet_id,
        yen,
    ]


def test_once_more_changes_nothing_but_erases_what_came_since(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, SECRET, 10)
    pgwallet.deposit(conn, wallet_id, 1, metadata={"from": SECRET})
    first = pgwallet.erase_owner(conn, wallet_id)
    assert first.transaction_count == 1
    before = everything(conn)
    second = pgwallet.erase_owner(conn, wallet_id)
    assert (second.owner_id, second.transaction_count) == (first.owner_id, 0)
    assert everything(conn) == before

    later = pgwallet.deposit(conn, wallet_id, 1, metadata={"from": SECRET}).transaction_id
    third = pgwallet.erase_owner(conn, wallet_id)
    assert (third.owner_id, third.transaction_count) == (first.owner_id, 1)
    assert note(conn, later) is None
    events = pgwallet.list_events(conn, wallet_id)[1:]
    assert [(event.kind, event.before, event.after) for event in events] == [
        ("erase_owner", None, {"transaction_count": 1}),
        ("erase_owner", None, {"transaction_count": 1}),
    ]


def test_a_digest_takes_the_place_of_metadata(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, SECRET, 10)
    metadata = {"straße": [1, 1.50, None], "b": {"a": SECRET}}
    noted = pgwallet.deposit(conn, wallet_id, 1, metadata=metadata).transaction_id
    plain = pgwallet.deposit(conn, wallet_id, 1).transaction_id
    text = value(
        conn, "select metadata::text from pgwallet.transaction where transaction_id = %s", noted
    )
    assert json.loads(text) == metadata
    pgwallet.erase_owner(conn, wallet_id)
    read = "select metadata_digest from pgwallet.transaction where transaction_id = %s"
    assert value(conn, read, noted) == hashlib.sha256(text.encode()).digest()
    assert value(conn, read, plain) is None


def test_what_moved_between_two_of_its_pockets_loses_its_metadata(conn: psycopg.Connection) -> None:
    wallet_id = funded(conn, SECRET, 10)
    one, two = (pgwallet.create_pocket(conn, wallet_id, name).pocket_id for name in "ab")
    pgwallet.transfer_to_pocket(conn, one, 5)
    moved = pgwallet.transfer(conn, one, two, 5, metadata={"who": SECRET}).transaction_id
    assert pgwallet.erase_owner(conn, wallet_id).transaction_count == 1
    assert note(conn, moved) is None


NOTED = {"p_metadata": json.dumps({"who": SECRET})}


@pytest.mark.parametrize("name", [n for n in KEYED if CALLS[n].takes("p_metadata")])
def test_whatever_moved_its_money_loses_its_metadata(
    conn: psycopg.Connection, world: World, name: str
) -> None:
    """Of each function that takes them, also where no posting names the wallet."""
    other = funded(conn, "bob", 10)
    kept = pgwallet.deposit(conn, other, 5, metadata={"who": "bob"}).transaction_id
    noted = {"p_metadata": [NOTED["p_metadata"]]} if CALLS[name].is_bulk else NOTED
    (row, *_) = call(conn, name, **CALLS[name].good(world, 10), **noted)
    pgwallet.erase_owner(conn, world.wallet)
    # Payouts are a project's, earnings the platform's.
    its = name not in ("payout", "collect_earnings")
    assert (note(conn, row["transaction_id"]) is None) == its
    assert note(conn, kept) == {"who": "bob"}
    assert pgwallet.check_ledger(conn) == []


def test_an_escrow_s_history_is_its_wallet_s(conn: psycopg.Connection) -> None:
    """Also a part whose net is nothing, of which the project saw none."""
    wallet_id, project_id = funded(conn, SECRET, 100), project(conn, "film", fee_fixed=2)
    pledge = pgwallet.pledge(conn, wallet_id, project_id, 50, metadata={"who": SECRET})
    released = [
        pgwallet.release_escrow(conn, pledge.escrow_id, part, metadata={"who": SECRET})
        for part in (1, 20)
    ]
    refunded = pgwallet.refund_escrow(conn, pledge.escrow_id, 5, metadata={"who": SECRET})
    assert released[0].net_amount == 0
    other = funded(conn, "bob", 100)
    stranger = pgwallet.pledge(conn, other, project_id, 50)
    kept = pgwallet.release_escrow(conn, stranger.escrow_id, metadata={"who": "bob"})
    assert pgwallet.erase_owner(conn, wallet_id).transaction_count == 4
    made = [refunded.transaction_id, *(each.transaction_id for each in released)]
    for transaction_id in (pledge.transaction_id, *made):
        assert note(conn, transaction_id) is None
    assert note(conn, kept.transaction_id) == {"who": "bob"}


def test_keys_replay_as_before(conn: psycopg.Connection, world: World) -> None:
    said = {}
    for name in KEYED:
        arguments = CALLS[name].keyed(CALLS[name].good(world, 1), f"key of {name}")
        said[name] = (arguments, call(conn, name, **arguments))
    pgwallet.erase_owner(conn, world.wallet)
    for name, (arguments, rows) in said.items():
        again = call(conn, name, **arguments)
        assert [row["transaction_id"] for row in again] == [row["transaction_id"] for row in rows]
        assert all(row["replayed"] for row in again), name
        if CALLS[name].takes("p_metadata") and not CALLS[name].is_bulk:
            assert call(conn, name, **arguments, **NOTED)[0]["replayed"]


def test_only_a_wallet_has_an_owner(conn: psycopg.Connection, world: World) -> None:
    for wrong in (world.pocket, world.open, world.escrow, 0, None):
        with refused(conn, "PW101"):
            call(conn, "erase_owner", p_wallet_id=wrong)


FILES = """
  select c.relname, pg_read_binary_file(pg_relation_filepath(c.oid))
  from pg_class as c
  where c.relnamespace = 'pgwallet'::regnamespace and c.relkind in ('r', 'i')
  union all
  select 'pg_statistic', pg_read_binary_file(pg_relation_filepath('pg_statistic'))
"""


def in_a_dump(conninfo: str) -> bool:
    dumped = subprocess.run(
        [client("pg_dump"), "--dbname", conninfo], capture_output=True, check=True
    )
    return SECRET.encode() in dumped.stdout


def test_no_byte_of_it_is_left_in_a_dump_or_in_a_file(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        wallets = [funded(conn, f"{SECRET} {number}", 10) for number in range(5)]
        projects = [project(conn, f"film {number}") for number in range(2)]
        for wallet_id in wallets:
            pocket = pgwallet.create_pocket(conn, wallet_id, "rent", 50).pocket_id
            noted: dict[str, Any] = {"metadata": {"who": SECRET}}
            for _ in range(30):
                pgwallet.deposit(conn, wallet_id, 10, **noted)
            pgwallet.allocate_deposit(conn, wallet_id, 5, **noted)
            pgwallet.transfer_from_pocket(conn, pocket, 1, **noted)
            for project_id in projects:
                escrow_id = pgwallet.pledge(conn, wallet_id, project_id, 9, **noted).escrow_id
                pgwallet.release_escrow(conn, escrow_id, 5, **noted)
                pgwallet.refund_escrow(conn, escrow_id, **noted)
        conn.execute("vacuum analyze")
        conn.execute("checkpoint")
        secret = SECRET.encode()
        assert {name for name, file in conn.execute(FILES) if secret in file} >= {
            *("wallet", "wallet_owner_key", "transaction"),
        }
        assert in_a_dump(database)
        assert value(conn, "select count(*) from pg_stats where pg_stats::text like '%%Lovelace%%'")

        for wallet_id in wallets:
            assert pgwallet.erase_owner(conn, wallet_id).transaction_count == 38

        assert not in_a_dump(database)
        for view in ("wallet_summary", "escrow_summary", "transaction_log"):
            rows = conn.execute(f"select v::text from pgwallet.{view} as v".encode()).fetchall()
            assert rows
            assert SECRET not in str(rows), view
        # A full one keeps what the oldest transaction of any database might see, so a plain one
        # removes it first; an autovacuum under way in this database holds up that one, too.
        left, deadline = ["all"], time.monotonic() + DEADLINE
        while left and time.monotonic() < deadline:
            conn.execute("vacuum analyze pgwallet.wallet, pgwallet.transaction")
            conn.execute("vacuum pg_statistic")
            conn.execute("vacuum full pgwallet.wallet, pgwallet.transaction")
            conn.execute("vacuum full pg_statistic")
            conn.execute("checkpoint")
            left = [name for name, file in conn.execute(FILES) if secret in file]
        assert left == []
        assert not value(
            conn, "select count(*) from pg_stats where pg_stats::text like '%%Lovelace%%'"
        )
        assert pgwallet.check_ledger(conn) == []
