"""What a project's pledges came to: from the last seal and what came since, as from its escrows."""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from random import Random

import psycopg
import pytest

import pgwallet
from tests.concurrency.calls import fresh
from tests.conftest import Connect
from tests.effort import effort
from tests.ledger.calling import funded, project, value

pytestmark = pytest.mark.sql

# So many that it takes less to read what came since the last seal.
MANY = 1200
STEPS = effort("PGWALLET_TOTALS_STEPS", part=50, full=300)

PLAIN = """
select
  count(*), count(*) filter (where e.status = 'locked'),
  count(*) filter (where e.status = 'disputed'), sum(e.amount),
  sum(e.amount - e.released_amount - e.refunded_amount),
  coalesce(sum(e.amount - e.released_amount - e.refunded_amount)
    filter (where e.status = 'disputed'), 0),
  sum(e.released_amount), sum(e.refunded_amount), sum(e.commission_amount), sum(e.fee_amount),
  sum(e.net_amount)
from pgwallet.escrow as e
where e.project_id = %s
"""


def told(conn: psycopg.Connection, project_id: int) -> tuple[object, ...]:
    row = pgwallet.get_project(conn, project_id)
    return (
        *(row.escrow_count, row.locked_count, row.disputed_count, row.pledged_amount),
        *(row.locked_amount, row.disputed_amount, row.released_amount, row.refunded_amount),
        *(row.commission_amount, row.fee_amount, row.net_amount),
    )


def plain(conn: psycopg.Connection, project_id: int) -> tuple[object, ...]:
    row = conn.execute(PLAIN.encode(), [project_id]).fetchone()
    assert row is not None
    return row


def popular(conn: psycopg.Connection, wallets: list[int]) -> int:
    project_id = project(conn, fresh("film"))
    some = [wallets[number % len(wallets)] for number in range(MANY)]
    pgwallet.pledge_many(conn, project_id, some, MANY * [Decimal("3.10")])
    return project_id


def call(
    conn: psycopg.Connection, random: Random, wallets: list[int], film: int, flop: int
) -> None:
    """One at random, which may be refused."""
    project_id = random.choice([film, flop])
    escrows = (
        "select array_agg(escrow_id order by escrow_id) from pgwallet.escrow where project_id = %s"
    )
    # A few of them, so that what was done to one goes on.
    ids = value(conn, escrows, project_id)
    escrow_id = random.choice([*ids[:4], *ids[-2:]])
    amount = Decimal(random.randint(1, 310)) / 100
    possible: list[Callable[[], object]] = [
        lambda: pgwallet.pledge(conn, random.choice(wallets), project_id, amount),
        lambda: pgwallet.change_pledge(conn, escrow_id, amount),
        lambda: pgwallet.cancel_pledge(conn, escrow_id),
        lambda: pgwallet.release_escrow(conn, escrow_id),
        lambda: pgwallet.release_escrow(conn, escrow_id, amount),
        lambda: pgwallet.refund_escrow(conn, escrow_id),
        lambda: pgwallet.refund_escrow(conn, escrow_id, amount),
        lambda: pgwallet.refund_release(conn, escrow_id),
        lambda: pgwallet.refund_release(conn, escrow_id, amount, keep_fees=random.random() < 0.5),
        lambda: pgwallet.dispute_escrow(conn, escrow_id, "a reason"),
        lambda: pgwallet.resolve_dispute(conn, escrow_id, random.choice(["upheld", "rejected"])),
        lambda: pgwallet.payout(conn, film, amount),
        lambda: pgwallet.collect_earnings(conn, "EUR", "commission", Decimal("0.01")),
        lambda: pgwallet.transfer(conn, wallets[0], wallets[1], amount),
    ]
    with suppress(pgwallet.PgWalletError), conn.transaction():
        random.choice(possible)()


def batches(conn: psycopg.Connection, random: Random, film: int, flop: int) -> None:
    pgwallet.release_escrows(conn, film, random.randint(1, 40))
    pgwallet.refund_escrows(conn, flop, random.randint(1, 40))
    pgwallet.refund_expired_escrows(conn, 2)


def test_with_seals_a_project_is_what_its_escrows_come_to(connect: Connect) -> None:
    """Whatever was called before, between and since seals at random moments."""
    random = Random(14)
    conn, seal = connect(autocommit=True), connect(autocommit=True)
    wallets = [funded(conn, fresh("backer"), 10_000) for _ in range(5)]
    film, flop = popular(conn, wallets), popular(conn, wallets)
    pgwallet.seal_ledger(seal)
    for number in range(STEPS):
        if number == STEPS // 2:
            conn.execute(
                "update pgwallet.escrow set expires_at = now() where escrow_id in (select "
                "escrow_id from pgwallet.escrow where project_id = %s and status = 'locked' "
                "limit 7)",
                [film],
            )
            pgwallet.close_project(conn, film, "succeeded")
            pgwallet.close_project(conn, flop, "failed")
        call(conn, random, wallets, film, flop)
        if number >= STEPS // 2:
            batches(conn, random, film, flop)
        if random.random() < 0.1:
            # Now and then in several, which part a call's postings.
            pgwallet.seal_ledger(seal, random.choice([7, 100_000]))
        looked_at = random.choice([film, flop])
        assert told(conn, looked_at) == plain(conn, looked_at), number
    while pgwallet.seal_ledger(seal) is not None:
        pass
    for project_id in (film, flop):
        assert told(conn, project_id) == plain(conn, project_id)
    settled = "select count(*) from pgwallet.escrow where settled_by is not null"
    assert value(conn, settled) == value(
        conn,
        "select sum(s.settled_count) from (select distinct on (project_id) * "
        "from pgwallet.seal_project order by project_id, seal_id desc) as s",
    )
    assert pgwallet.check_ledger(conn) == []


def test_what_a_pledge_is_raised_or_lowered_by_after_a_seal_is_counted(connect: Connect) -> None:
    conn = connect(autocommit=True)
    wallets = [funded(conn, fresh("backer"), 10_000) for _ in range(5)]
    film = popular(conn, wallets)
    escrow = pgwallet.pledge(conn, wallets[0], film, 10).escrow_id
    for amount in (4, 9, 1):
        pgwallet.seal_ledger(conn)
        pgwallet.change_pledge(conn, escrow, amount)
        assert told(conn, film) == plain(conn, film)
    pgwallet.seal_ledger(conn)
    assert told(conn, film) == plain(conn, film)
    assert pgwallet.check_ledger(conn) == []


def test_what_was_settled_when_it_was_sealed_may_be_locked_again(connect: Connect) -> None:
    conn = connect(autocommit=True)
    wallets = [funded(conn, fresh("backer"), 10_000) for _ in range(5)]
    film = popular(conn, wallets)
    escrow = pgwallet.pledge(conn, wallets[0], film, 10).escrow_id
    pgwallet.release_escrow(conn, escrow, 10)
    for raised in (12, 15, 20):
        pgwallet.seal_ledger(conn)
        pgwallet.change_pledge(conn, escrow, raised)
        assert told(conn, film) == plain(conn, film)
        if raised > 12:  # else it is settled again before the next seal
            pgwallet.seal_ledger(conn)
        pgwallet.cancel_pledge(conn, escrow)
        assert told(conn, film) == plain(conn, film)
        assert pgwallet.check_ledger(conn) == []


def test_a_project_does_not_read_what_is_sealed(connect: Connect) -> None:
    conn = connect(autocommit=True)
    wallets = [funded(conn, fresh("backer"), 10_000) for _ in range(5)]
    film = popular(conn, wallets)
    pgwallet.seal_ledger(conn)
    conn.execute("vacuum analyze pgwallet.posting, pgwallet.escrow")
    escrow = pgwallet.pledge(conn, wallets[0], film, 5).escrow_id
    pgwallet.release_escrow(conn, escrow, 1)
    pgwallet.dispute_escrow(conn, escrow, "a reason")
    read = (
        "select sum(seq_tup_read + idx_tup_fetch)::bigint from pg_stat_xact_user_tables "
        "where schemaname = 'pgwallet' and relname = 'escrow'"
    )
    with conn.transaction():
        before = value(conn, read)
        found = told(conn, film)
        assert value(conn, read) - before < 20
        assert found == plain(conn, film)


@pytest.mark.parametrize(
    "corruption",
    [
        "update pgwallet.seal_project set net = net + 1 where seal_id = {known} + 1",
        "update pgwallet.seal_project set settled_count = 0 where seal_id = {known} + 1",
        "update pgwallet.seal_project set refunded = 5 where seal_id = {known}",
        "delete from pgwallet.seal_project where seal_id = {known} + 1",
        "insert into pgwallet.seal_project select {film}, {known} + 2, 1, 0, 1, 0, 0, 0, 0",
    ],
    ids=["net", "how many", "what it goes on from", "removed", "forged"],
)
def test_a_wrong_total_of_a_project_is_named(connect: Connect, corruption: str) -> None:
    conn, seal = connect(), connect(autocommit=True)
    wallet_id = funded(conn, fresh("owner"), 100)
    film = project(conn, fresh("film"))
    first = pgwallet.pledge(conn, wallet_id, film, 10)
    conn.commit()
    known = pgwallet.seal_ledger(seal)
    assert known is not None
    pgwallet.release_escrow(conn, first.escrow_id)
    conn.commit()
    pgwallet.seal_ledger(seal)
    pgwallet.freeze_account(conn, wallet_id, "a reason")
    conn.commit()
    pgwallet.seal_ledger(seal)
    conn.execute("alter table pgwallet.seal_project disable trigger user")
    conn.execute(corruption.format(film=film, known=known.seal_id).encode())
    wrong = f"project {film}"
    assert wrong in {each.subject for each in pgwallet.check_ledger(conn)}
    assert wrong in {each.subject for each in pgwallet.check_ledger(conn, known.transaction_id)}
    conn.rollback()
