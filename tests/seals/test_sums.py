"""What seals add up: balances without a row cost what came since, and the past is over."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import product
from typing import Any

import psycopg
import pytest

import pgwallet
from tests.concurrency.calls import fresh
from tests.concurrency.sessions import blocked
from tests.conftest import Connect
from tests.ledger.calling import funded, project, refused, value

pytestmark = pytest.mark.sql

CURRENCIES = ("EUR", "JPY", "KWD")


@pytest.fixture
def seal(connect: Connect) -> psycopg.Connection:
    """Who seals does it in a transaction of its own."""
    return connect(autocommit=True)


def sealed(conn: psycopg.Connection) -> datetime:
    """Until when all is sealed now."""
    conn.execute("select from pgwallet.seal_ledger()")
    until: datetime = value(conn, "select max(sealed_at) from pgwallet.seal")
    return until


def now(conn: psycopg.Connection) -> datetime:
    time: datetime = value(conn, "select clock_timestamp()")
    return time


def everybody(conn: psycopg.Connection) -> dict[int, str]:
    """Each account that anything was posted to, and its kind."""
    return dict(
        conn.execute(
            "select a.account_id, a.kind from pgwallet.account as a where exists (select "
            "from pgwallet.posting as p "
            "where a.account_id in (p.source_account_id, p.destination_account_id))"
        ).fetchall()
    )


def balances(conn: psycopg.Connection, at: datetime) -> dict[int, Decimal]:
    return {each: pgwallet.balance_at(conn, each, at) for each in everybody(conn)}


def statements(conn: psycopg.Connection, until: datetime) -> dict[int, list[int]]:
    return {
        each: [row.posting_id for row in pgwallet.statement(conn, each, limit=10**6, until=until)]
        for each in everybody(conn)
    }


def some(found: dict[int, Any], known: dict[int, Any]) -> dict[int, Any]:
    """What there was already, without accounts that are new."""
    return {each: found[each] for each in known}


def chapter(conn: psycopg.Connection, currency: str) -> None:
    """Something of each kind that an account without a balance has a part in."""
    wallet_id = funded(conn, fresh("owner"), 1000, currency)
    film = project(conn, fresh("film"), currency=currency)
    escrows = [pgwallet.pledge(conn, wallet_id, film, 100).escrow_id for _ in range(4)]
    pgwallet.release_escrow(conn, escrows[0])
    pgwallet.refund_release(conn, escrows[0], 50)
    pgwallet.change_pledge(conn, escrows[1], 70)
    pgwallet.refund_escrow(conn, escrows[2], 10)
    pgwallet.release_escrow(conn, escrows[2], 20)
    pgwallet.payout(conn, film, 1)
    pgwallet.collect_earnings(conn, currency, "fee", 1)
    pgwallet.collect_earnings(conn, currency, "commission", 1)
    taken = pgwallet.withdraw(conn, wallet_id, 3).transaction_id
    pgwallet.reverse_transaction(conn, taken)


def test_with_seals_each_balance_is_what_its_postings_come_to(
    connect: Connect, seal: psycopg.Connection
) -> None:
    conn = connect(autocommit=True)
    moments = []
    for currency in (*CURRENCIES, *CURRENCIES):
        moments.append(now(conn))
        chapter(conn, currency)
        moments.append(now(conn))
        moments.append(sealed(seal))
    chapter(conn, "JPY")
    moments.append(now(conn))
    for account_id, kind in everybody(conn).items():
        rows = pgwallet.statement(conn, account_id, limit=10**6)
        assert pgwallet.balance(conn, account_id) == sum(row.amount for row in rows), kind
        for at in moments:
            until = [row.amount for row in rows if row.created_at <= at]
            assert pgwallet.balance_at(conn, account_id, at) == sum(until), kind
    assert pgwallet.check_ledger(conn) == []
    (first,) = pgwallet.statement(conn, account_id, limit=1)
    assert pgwallet.check_ledger(conn, first.transaction_id) == []


def test_with_seals_the_platform_moved_what_it_did(
    connect: Connect, seal: psycopg.Connection
) -> None:
    """In each month, also of times that were changed by hand, and for metrics."""
    conn = connect(autocommit=True)
    conn.execute("alter table pgwallet.posting disable trigger user")
    for currency in (*CURRENCIES, *CURRENCIES):
        chapter(conn, currency)
        conn.execute(
            "update pgwallet.posting set created_at = created_at - interval '40 days' "
            "where posting_id > coalesce((select max(posting_id) from pgwallet.seal), 0) "
            "and posting_id % 3 = 0"
        )
        sealed(seal)
    conn.execute("alter table pgwallet.posting enable trigger user")
    conn.execute("alter table pgwallet.posting enable always trigger refuse_change")
    conn.execute("alter table pgwallet.posting enable always trigger refuse_row_change")
    chapter(conn, "JPY")
    moved = "select * from pgwallet.platform_summary order by currency, month"
    metrics = "select * from pgwallet.currency_metrics() order by currency"
    found, told = conn.execute(moved).fetchall(), conn.execute(metrics).fetchall()
    assert len(found) >= 2 * len(CURRENCIES)
    with psycopg.connect(conn.info.dsn) as unsealed:
        for table in ("seal", "seal_flow", "seal_balance"):
            unsealed.execute(f"alter table pgwallet.{table} disable trigger user".encode())
            unsealed.execute(f"delete from pgwallet.{table}".encode())
        assert unsealed.execute(moved).fetchall() == found
        assert unsealed.execute(metrics).fetchall() == told
        unsealed.rollback()


def test_a_seal_has_a_sum_only_where_it_changed(connect: Connect, seal: psycopg.Connection) -> None:
    conn = connect(autocommit=True)
    sealed(seal)
    chapter(conn, "JPY")
    sealed(seal)
    added = value(conn, "select count(*) from pgwallet.seal_balance")
    funded(conn, fresh("owner"), 5, "JPY")
    sealed(seal)
    (row,) = conn.execute(
        "select s.account_id, s.balance from pgwallet.seal_balance as s "
        "order by s.seal_id desc limit 1"
    )
    outside = value(
        conn, "select external_account_id from pgwallet.currency where currency = 'JPY'"
    )
    assert row == (outside, pgwallet.balance(conn, outside))
    assert value(conn, "select count(*) from pgwallet.seal_balance") == added + 1

    wallet_id = funded(conn, fresh("owner"), 5, "JPY")
    pgwallet.withdraw(conn, wallet_id, 5)
    sealed(seal)
    assert value(conn, "select count(*) from pgwallet.seal_balance") == added + 1


def test_a_seal_without_postings_knows_when_the_latest_was(
    connect: Connect, seal: psycopg.Connection
) -> None:
    conn = connect(autocommit=True)
    wallet_id = funded(conn, fresh("owner"), 5)
    sealed(seal)
    pgwallet.freeze_account(conn, wallet_id, "a reason")
    sealed(seal)
    seals = conn.execute(
        "select s.seal_id, s.latest_at from pgwallet.seal as s order by s.seal_id desc limit 2"
    ).fetchall()
    latest_at = value(conn, "select max(p.created_at) from pgwallet.posting as p")
    assert [at for _, at in seals] == [latest_at, latest_at]
    assert f"seal {seals[0][0]}" not in {each.subject for each in pgwallet.check_ledger(conn)}


def test_what_was_posted_before_midnight_and_committed_after_is_in_the_closed_month(
    connect: Connect, seal: psycopg.Connection
) -> None:
    """A seal waits for it; from then on nothing changes the balances of that time."""
    late, observer = connect(), connect(autocommit=True)
    chapter(observer, "EUR")
    chapter(late, "EUR")
    midnight = now(observer)
    before = balances(observer, midnight)
    with blocked(seal, observer, partial(sealed, seal), "Timeout") as sealing:
        late.commit()
        assert sealing.result() >= midnight
    closed = balances(observer, midnight)
    pages = statements(observer, midnight)
    # Without the wait it would have been closed as it was before.
    assert closed != before

    chapter(observer, "EUR")
    sealed(seal)
    chapter(observer, "EUR")
    assert some(balances(observer, midnight), closed) == closed
    assert some(statements(observer, midnight), pages) == pages


def test_a_clock_that_is_set_back_changes_no_sealed_time(
    connect: Connect, seal: psycopg.Connection
) -> None:
    conn = connect()
    chapter(conn, "EUR")
    conn.commit()
    at = sealed(seal)
    closed, pages = balances(conn, at), statements(conn, at)
    last = value(conn, "select max(posting_id) from pgwallet.posting")
    chapter(conn, "EUR")
    conn.execute("alter table pgwallet.posting disable trigger user")
    conn.execute(
        "update pgwallet.posting set created_at = created_at - interval '20 minutes' "
        "where posting_id > %s",
        [last],
    )
    assert some(balances(conn, at), closed) == closed
    assert some(statements(conn, at), pages) == pages
    conn.rollback()


def test_a_balance_does_not_read_what_is_sealed(connect: Connect, seal: psycopg.Connection) -> None:
    """All but what came since, and the pages that it shares."""
    conn = connect(autocommit=True)
    wallets = [funded(conn, fresh("owner"), 1) for _ in range(20)]
    film = project(conn, fresh("film"))
    pgwallet.deposit_many(conn, 1000 * wallets, 20_000 * [Decimal(1)])
    pgwallet.pledge_many(conn, film, 120 * wallets, 2_400 * [Decimal(1)])
    conn.execute("select brin_summarize_new_values('pgwallet.posting_id_idx')")
    sealed(seal)
    conn.execute("select brin_summarize_new_values('pgwallet.posting_id_idx')")
    pgwallet.pledge(conn, wallets[0], film, 5)
    escrow = value(
        conn, "select escrow_account_id from pgwallet.project where project_id = %s", film
    )
    outside = value(
        conn, "select external_account_id from pgwallet.currency where currency = 'EUR'"
    )
    fetched = (
        "select sum(seq_tup_read + idx_tup_fetch)::bigint from pg_stat_xact_user_tables "
        "where schemaname = 'pgwallet' and relname in ('posting', 'escrow')"
    )
    for account_id in (outside, escrow):
        rows = pgwallet.statement(conn, account_id, limit=10**6)
        with conn.transaction():
            before = value(conn, fetched)
            assert pgwallet.balance(conn, account_id) == sum(row.amount for row in rows)
            assert pgwallet.balance_at(conn, account_id, now(conn)) == sum(
                row.amount for row in rows
            )
            read = value(conn, fetched) - before
        assert read < 9_000


def test_a_statement_finds_what_lies_far_apart_and_past_its_sequence(connect: Connect) -> None:
    """As after a restore or on a subscriber, where the sequence is behind its table."""
    conn = connect()
    wallet_id = funded(conn, fresh("owner"), 1)
    (first,) = pgwallet.statement(conn, wallet_id)
    ids = [first.posting_id]
    for gap in (19_998, 19_999, 20_000, 1, 39_999, 1_999, 70_000, 500_000, 1):
        conn.execute("select setval('pgwallet.posting_id_seq', %s)", [ids[-1] + gap])
        pgwallet.deposit(conn, wallet_id, 1)
        ids.append(pgwallet.statement(conn, wallet_id, limit=1, newest_first=True)[0].posting_id)
    for behind, newest_first in product((ids[-1] + 1, ids[-3], ids[1]), (False, True)):
        # Oldest first shows nothing past it, as what comes there is not decided.
        expected = ids[::-1] if newest_first else [each for each in ids if each <= behind]
        conn.execute("select setval('pgwallet.posting_id_seq', %s)", [behind])
        for limit in (1, 2, 5, 100):
            seen, after = [], 0 if newest_first else ids[0] - 1
            while page := pgwallet.statement(
                conn, first.counterpart_id, after, limit, newest_first
            ):
                seen += [row.posting_id for row in page if row.posting_id >= ids[0]]
                after = page[-1].posting_id
                if after < ids[0]:
                    break
            assert seen == expected
    conn.rollback()


@pytest.mark.parametrize(
    ("corruption", "subject"),
    [
        ("update pgwallet.seal_balance set balance = balance + 1 where {}", "external {}"),
        ("delete from pgwallet.seal_balance where {}", "external {}"),
        (
            "insert into pgwallet.seal_balance select 1, 2, 5",
            "account 1",
        ),
        ("update pgwallet.seal_flow set deposited = 0 where seal_id = {last}", "seal {last}"),
        ("delete from pgwallet.seal_flow where seal_id = {last}", "seal {last}"),
        ("update pgwallet.seal set latest_at = '-infinity' where seal_id = 1", "seal 1"),
    ],
    ids=["changed", "removed", "forged", "other flow", "no flow", "another latest"],
)
def test_a_wrong_sum_is_named(
    connect: Connect, seal: psycopg.Connection, corruption: str, subject: str
) -> None:
    conn = connect()
    for _ in range(2):
        chapter(conn, "EUR")
        conn.commit()
        sealed(seal)
    outside, last = conn.execute(
        "select b.account_id, max(b.seal_id) from pgwallet.seal_balance as b "
        "inner join pgwallet.currency as c on c.external_account_id = b.account_id "
        "where c.currency = 'EUR' group by b.account_id"
    ).fetchone() or (0, 0)
    for table in ("seal", "seal_balance", "seal_flow"):
        conn.execute(f"alter table pgwallet.{table} disable trigger user".encode())
    where = f"account_id = {outside} and seal_id = {last}"
    conn.execute(corruption.format(where, last=last).encode())
    subject = subject.format(outside, last=last)
    assert subject in {each.subject for each in pgwallet.check_ledger(conn)}
    before = value(conn, "select transaction_id from pgwallet.seal where seal_id = %s", last - 1)
    if "seal_id = 1" not in corruption and "1, 2, 5" not in corruption:
        found = {each.subject for each in pgwallet.check_ledger(conn, before)}
        assert subject in found
    conn.rollback()


def test_what_seals_add_up_is_never_changed(connect: Connect, seal: psycopg.Connection) -> None:
    conn = connect()
    chapter(conn, "EUR")
    conn.commit()
    sealed(seal)
    for change in (
        "update pgwallet.seal_balance set balance = 0",
        "delete from pgwallet.seal_balance",
        "truncate pgwallet.seal_balance",
    ):
        with refused(conn, "PW901"):
            conn.execute(change.encode())
