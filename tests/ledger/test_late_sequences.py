"""Sequences behind their tables, as after a restore of some: ids that come twice are no replays."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors

import pgwallet
from tests.catalogue.calls import CALLS, KEYED, good
from tests.catalogue.world import World
from tests.ledger.calling import call, everything, funded, value

pytestmark = pytest.mark.sql

SEQUENCES = ("deployment_deployment_id_seq", "id_seq", "posting_id_seq", "transaction_id_seq")


@pytest.fixture
def conn(undone: psycopg.Connection) -> psycopg.Connection:
    return undone


@pytest.fixture(autouse=True)
def stay(conn: psycopg.Connection, world: World) -> Iterator[None]:
    """Sequences know no rollback, so they go back to where the next test wants them."""
    found = {name: value(conn, f"select last_value from pgwallet.{name}") for name in SEQUENCES}
    yield
    for name, position in found.items():
        conn.execute("select setval(%s, %s)", [f"pgwallet.{name}", position])


def put_back(conn: psycopg.Connection, sequence: str, position: int) -> None:
    conn.execute("select setval(%s, %s, false)", [f"pgwallet.{sequence}", position])


@pytest.mark.parametrize("has_key", [True, False], ids=["keyed", "unkeyed"])
@pytest.mark.parametrize("name", KEYED)
def test_an_id_that_is_there_is_no_key_that_was_used(
    conn: psycopg.Connection, world: World, name: str, has_key: bool
) -> None:
    arguments = good(name, world)
    if has_key:
        arguments = CALLS[name].keyed(arguments, "once")
    before = everything(conn)
    first = value(conn, "select min(transaction_id) from pgwallet.transaction")
    put_back(conn, "transaction_id_seq", first)
    with pytest.raises(errors.UniqueViolation) as caught, conn.transaction():
        call(conn, name, **arguments)
    assert caught.value.diag.constraint_name == "transaction_pkey"
    assert everything(conn) == before


@pytest.mark.parametrize("has_key", [True, False], ids=["keyed", "unkeyed"])
@pytest.mark.parametrize("name", KEYED)
def test_a_transaction_that_was_not_recorded_is_no_replay(
    conn: psycopg.Connection, world: World, name: str, has_key: bool
) -> None:
    """Somebody's trigger keeps it away, so neither the insert nor the key says that it is there."""
    conn.execute(
        "create function pg_temp.keep_away() returns trigger language plpgsql"
        " as 'begin return null; end'"
    )
    conn.execute(
        "create trigger keep_away before insert on pgwallet.transaction"
        " for each row execute function pg_temp.keep_away()"
    )
    arguments = good(name, world)
    if has_key:
        arguments = CALLS[name].keyed(arguments, "once")
    before = everything(conn)
    with pytest.raises(psycopg.Error) as caught, conn.transaction():
        call(conn, name, **arguments)
    assert everything(conn) == before
    assert caught.value.sqlstate in ("55000", "23502")
    if has_key:
        assert caught.value.sqlstate == "55000"
        assert "'once" in (caught.value.diag.message_detail or "")
        assert caught.value.diag.message_hint


@pytest.mark.parametrize("name", SEQUENCES)
def test_check_ledger_names_a_sequence_that_is_behind(conn: psycopg.Connection, name: str) -> None:
    assert pgwallet.check_ledger(conn) == []
    highest = value(
        conn,
        "select highest_value from pgwallet.list_sequences() where sequence_name = %s",
        name,
    )
    put_back(conn, name, highest)
    for since in (0, value(conn, "select max(transaction_id) from pgwallet.transaction")):
        (row,) = pgwallet.check_ledger(conn, since)
        assert (row.invariant, row.subject) == (6, f"sequence {name}")
        assert f"gives out {highest} next" in row.detail

    put_back(conn, name, highest + 1)
    assert pgwallet.check_ledger(conn) == []


def test_every_sequence_is_compared_with_its_tables(conn: psycopg.Connection) -> None:
    compared = conn.execute("select sequence_name from pgwallet.list_sequences()").fetchall()
    there = conn.execute(
        "select sequencename::text from pg_sequences where schemaname = 'pgwallet'"
    ).fetchall()
    assert sorted(compared) == sorted(there)


@pytest.mark.parametrize("name", SEQUENCES)
def test_status_names_it_and_its_remedy_mends_it(database: str, name: str) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        for owner in ("ada", "bob"):
            pgwallet.withdraw(conn, funded(conn, owner, 10), 5)
        put_back(conn, name, 1)
        (late,) = pgwallet.status(database).drift
        assert (late.kind, late.name, late.what) == ("sequence", name, "behind")
        assert late.detail.startswith("gives out 1 next, the tables go up to ")

        conn.execute(late.remedy.encode())
        assert pgwallet.status(database).up_to_date
        pgwallet.withdraw(conn, funded(conn, "cid", 10), 5)
        assert pgwallet.check_ledger(conn) == []


def test_reading_on_ends_before_ids_that_come_again_and_says_so(
    conn: psycopg.Connection, world: World
) -> None:
    """Whoever had passed them would miss what gets them next."""
    account = value(
        conn, "select external_account_id from pgwallet.account where account_id = %s", world.wallet
    )
    told: list[str] = []
    conn.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
    rows = pgwallet.statement(conn, account)
    assert pgwallet.statement(conn, account, rows[-1].posting_id) == []
    assert pgwallet.read_feed(conn, pgwallet.read_feed(conn)[-1].posting_id) == []
    assert told == []

    last = rows[2].posting_id
    conn.execute("select setval('pgwallet.posting_id_seq', %s)", [last])
    warning = f"postings after id {last} are not read on: the sequence of their ids is behind"
    assert pgwallet.statement(conn, account) == rows[:3]
    assert told == [warning]
    assert pgwallet.read_feed(conn, last) == []
    assert told == [warning] * 2
    assert pgwallet.statement(conn, account, newest_first=True)[0] == rows[-1]
    mended = value(conn, "select max(posting_id) from pgwallet.posting")
    conn.execute("select setval('pgwallet.posting_id_seq', %s)", [mended])
    assert pgwallet.statement(conn, account) == rows
