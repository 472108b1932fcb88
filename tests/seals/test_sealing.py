"""seal_ledger covers what was recorded since the last seal, each row once, whoever writes."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from queue import Queue
from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel

import pgwallet
from pgwallet import NewSeal, Seal
from pgwallet.errors import InvalidArgument
from tests.concurrency.calls import fresh
from tests.concurrency.sessions import HIGHER, all_blocked, blocked
from tests.conftest import Connect
from tests.ledger.calling import funded, value
from tests.waiting import DEADLINE

pytestmark = pytest.mark.sql

LAST_IDS = """
  select
    (select max(transaction_id) from pgwallet.transaction),
    (select max(posting_id) from pgwallet.posting),
    (select max(event_id) from pgwallet.event)
"""

Deposit = Callable[[psycopg.Connection, int, str], Any]


def deposit(conn: psycopg.Connection, wallet: int, key: str) -> Any:
    return pgwallet.deposit(conn, wallet, 1, idempotency_key=key)


def deposit_many(conn: psycopg.Connection, wallet: int, key: str) -> Any:
    return pgwallet.deposit_many(conn, [wallet], [1], idempotency_keys=[key])


def sealed(conn: psycopg.Connection, limit: int = 100000) -> NewSeal:
    made = pgwallet.seal_ledger(conn, limit)
    assert made is not None
    return made


def names(message: str, conn: psycopg.Connection) -> bool:
    return re.search(rf"\bprocess {conn.info.backend_pid}\b", message) is not None


def seal_all(conn: psycopg.Connection) -> Seal:
    """The last seal, after which there is nothing left to seal."""
    while (made := pgwallet.seal_ledger(conn)) is not None and made.has_more:
        pass
    (last,) = pgwallet.list_seals(conn, limit=1, newest_first=True)
    return last


def ids(seal: Seal) -> tuple[int, int, int]:
    return seal.transaction_id, seal.posting_id, seal.event_id


def test_a_seal_covers_all_there_is_and_the_next_what_came_since(connect: Connect) -> None:
    conn = connect(autocommit=True)
    wallet = funded(conn, fresh("owner"), 10)
    before = datetime.now(UTC)
    first = sealed(conn)
    assert not first.has_more
    assert before < first.sealed_at < datetime.now(UTC)
    assert ids(first) == conn.execute(LAST_IDS).fetchone()

    pgwallet.deposit(conn, wallet, 1)
    pgwallet.freeze_account(conn, wallet, "court order 17")
    second = sealed(conn)
    assert second.seal_id == first.seal_id + 1
    assert ids(second) == tuple(each + 1 for each in ids(first))
    assert second.sealed_at > first.sealed_at
    assert second.digest != first.digest
    assert pgwallet.check_seals(conn) is None
    assert [each.digest for each in pgwallet.list_seals(conn)][-2:] == [first.digest, second.digest]


def test_where_nothing_came_there_is_no_seal(connect: Connect) -> None:
    conn = connect(autocommit=True)
    wallet = funded(conn, fresh("owner"), 10)
    last = seal_all(conn)
    assert pgwallet.seal_ledger(conn) is None
    with conn.transaction(force_rollback=True):
        pgwallet.deposit(conn, wallet, 1)  # draws ids that are never used
    assert pgwallet.seal_ledger(conn) is None
    assert seal_all(conn) == last


@pytest.mark.parametrize("change", ["freeze_account", "allocate_deposit"])
def test_what_moves_nothing_is_sealed_too(connect: Connect, change: str) -> None:
    """An event, and an allocation over no pockets, which has a transaction without postings."""
    conn = connect(autocommit=True)
    wallet = funded(conn, fresh("owner"), 10)
    last = seal_all(conn)
    if change == "freeze_account":
        pgwallet.freeze_account(conn, wallet, "court order 17")
    else:
        pgwallet.allocate_deposit(conn, wallet, 1, idempotency_key=fresh("key"))
    made = sealed(conn)
    assert made.posting_id == last.posting_id
    assert (made.event_id > last.event_id) == (change == "freeze_account")
    assert (made.transaction_id > last.transaction_id) == (change == "allocate_deposit")


def test_a_backlog_goes_into_several_seals_of_the_time_until_which_all_is_sealed(
    connect: Connect,
) -> None:
    conn = connect(autocommit=True)
    wallet = funded(conn, fresh("owner"), 10)
    last = seal_all(conn)
    for _ in range(3):
        pgwallet.deposit_many(conn, [wallet] * 4, [1] * 4)
        conn.execute("select setval('pgwallet.posting_id_seq', nextval('pgwallet.posting_id_seq'))")
    made = [sealed(conn, 5)]
    while made[-1].has_more:
        made.append(sealed(conn, 5))
    assert pgwallet.seal_ledger(conn) is None
    assert [each.seal_id for each in made] == [last.seal_id + n for n in range(1, len(made) + 1)]
    assert len(made) == 3
    # Of the backlog nobody knows when the next was recorded: the time stays until none is left.
    assert [each.sealed_at == last.sealed_at for each in made] == [True, True, False]
    assert made[-1].posting_id == value(conn, "select max(posting_id) from pgwallet.posting") + 1
    assert pgwallet.check_seals(conn) is None


def test_ids_that_nothing_has_are_passed_over_at_once(connect: Connect) -> None:
    conn = connect(autocommit=True)
    wallet = funded(conn, fresh("owner"), 10)
    seal_all(conn)
    for sequence in ("posting_id_seq", "transaction_id_seq", "event_id_seq"):
        after = f"nextval('pgwallet.{sequence}') + 1000000000"
        conn.execute(f"select setval('pgwallet.{sequence}', {after})".encode())
    pgwallet.deposit_many(conn, [wallet] * 3, [1] * 3)
    made = sealed(conn, 2)
    assert made.has_more
    assert not sealed(conn, 2).has_more
    assert pgwallet.check_seals(conn) is None


def test_nothing_that_is_not_sealed_was_recorded_up_to_the_time_of_a_seal(
    connect: Connect,
) -> None:
    conn = connect(autocommit=True)
    wallet = funded(conn, fresh("owner"), 10)
    for _ in range(20):
        pgwallet.deposit(conn, wallet, 1)
        sealed(conn)
    later = conn.execute(
        "select count(*) from pgwallet.seal as s inner join pgwallet.posting as p "
        "on p.posting_id > s.posting_id and p.created_at <= s.sealed_at"
    )
    assert later.fetchone() == (0,)


@pytest.mark.parametrize("ending", ["commit", "rollback"])
@pytest.mark.parametrize("write", [deposit, deposit_many])
def test_an_open_transaction_with_a_lower_id_is_waited_for(
    connect: Connect, write: Deposit, ending: str
) -> None:
    writer, sealer = connect(), connect(autocommit=True)
    observer = connect(autocommit=True)
    wallet, other = (funded(observer, fresh("owner"), 10) for _ in range(2))
    write(writer, wallet, fresh("key"))
    write(observer, other, fresh("key"))  # later, and committed before
    with blocked(sealer, observer, partial(sealed, sealer), "Timeout") as seal:
        getattr(writer, ending)()
        made = seal.result()
    assert made.posting_id == value(observer, "select last_value from pgwallet.posting_id_seq")
    assert pgwallet.check_seals(observer) is None


@pytest.mark.parametrize("write", [deposit, deposit_many])
def test_so_is_one_that_has_drawn_an_id_and_waits_for_its_key(
    connect: Connect, write: Deposit
) -> None:
    """It has written nothing yet: with the id alone, nobody would know of it."""
    first, second, sealer = connect(), connect(), connect(autocommit=True)
    observer = connect(autocommit=True)
    told: Queue[str] = Queue()
    sealer.add_notice_handler(lambda notice: told.put(str(notice.message_primary)))
    wallet, key = funded(observer, fresh("owner"), 10), fresh("key")
    write(first, wallet, key)
    with (
        blocked(second, observer, partial(write, second, wallet, key)) as written,
        blocked(sealer, observer, partial(sealed, sealer), "Timeout") as seal,
    ):
        first.rollback()
        written.result()
        seal.add_done_callback(lambda done: told.put("it has not waited"))
        # It may have named the first before.
        message = told.get(timeout=DEADLINE)
        while names(message, first):
            message = told.get(timeout=DEADLINE)
        assert names(message, second)
        second.commit()
        made = seal.result()
    assert made.transaction_id == value(
        observer, "select last_value from pgwallet.transaction_id_seq"
    )
    assert pgwallet.check_seals(observer) is None


def test_of_two_at_once_one_waits_and_nothing_is_sealed_twice(connect: Connect) -> None:
    writer, observer = connect(), connect(autocommit=True)
    sealers = [connect(autocommit=True) for _ in range(2)]
    wallet = funded(observer, fresh("owner"), 10)
    last = seal_all(observer)
    pgwallet.deposit(writer, wallet, 1)
    calls = [(sealer, partial(pgwallet.seal_ledger, sealer)) for sealer in sealers]
    with all_blocked(observer, calls, "Timeout") as seals:
        writer.commit()
        made = [seal.result() for seal in seals]
    assert [each.seal_id for each in made if each is not None] == [last.seal_id + 1]
    assert pgwallet.check_seals(observer) is None


def test_a_transaction_that_has_written_is_refused(connect: Connect) -> None:
    conn = connect()
    funded(conn, fresh("owner"), 10)
    with pytest.raises(psycopg.errors.ActiveSqlTransaction):
        pgwallet.seal_ledger(conn)


@pytest.mark.parametrize("level", HIGHER, ids=[each.name.lower() for each in HIGHER])
def test_a_level_that_does_not_see_what_it_waited_for_is_refused(
    connect: Connect, level: IsolationLevel
) -> None:
    conn = connect()
    funded(conn, fresh("owner"), 10)
    conn.commit()
    conn.isolation_level = level
    with pytest.raises(psycopg.errors.ActiveSqlTransaction):
        pgwallet.seal_ledger(conn)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(connect: Connect, limit: int) -> None:
    with pytest.raises(InvalidArgument):
        pgwallet.seal_ledger(connect(), limit)


def test_a_seal_leaves_an_index_of_what_it_read(connect: Connect) -> None:
    """Else each would read again what came since the server made one, a minute at most."""
    conn = connect(autocommit=True)
    wallets = [funded(conn, fresh("ada"), 0) for _ in range(10)] * 700
    pgwallet.deposit_many(conn, wallets, [1] * len(wallets))
    full = (
        "from generate_series(0, pg_relation_size('pgwallet.posting') / 8192 - 33, 32) as n "
        "cross join lateral {} ('pgwallet.posting_id_idx', n) as r"
    )
    assert value(conn, "select count(*) " + full.format("brin_desummarize_range")) >= 2
    sealed(conn)
    assert value(conn, "select sum(r) " + full.format("brin_summarize_range")) == 0
