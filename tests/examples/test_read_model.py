"""The read model is exact, however often the program that keeps it is killed."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from examples.read_model import keep
from tests import databases
from tests.conftest import Connect
from tests.docs.blocks import ROOT
from tests.effort import effort
from tests.ledger.calling import funded, project
from tests.waiting import DEADLINE

KILLS = effort("PGWALLET_FAULTS", part=2, full=20)

IN_THE_LEDGER = """
select m.account_id, a.currency::text, sum(m.received), sum(m.paid), count(*)
from (
  select p.destination_account_id, p.amount, 0 from pgwallet.posting as p
  union all
  select p.source_account_id, 0, p.amount from pgwallet.posting as p
) as m (account_id, received, paid)
join pgwallet.account as a on a.account_id = m.account_id
group by m.account_id, a.currency
order by m.account_id
"""
IN_THE_MODEL = "select * from turnover order by account_id"


@pytest.fixture
def model(server: str) -> Iterator[str]:
    with databases.created(server) as name:
        yield make_conninfo(server, dbname=name)


def position(model: str) -> int:
    try:
        with psycopg.connect(model) as conn:
            row = conn.execute("select posting_id from feed_position").fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    return row[0] if row else 0


def move(database: str, over: threading.Event) -> None:
    """Pledges, releases, rollbacks and open transactions, until it is over."""
    with psycopg.connect(database) as conn, psycopg.connect(database) as slow:
        wallets = [funded(conn, f"owner {number}", 1000) for number in range(4)]
        film = project(conn, "film")
        conn.commit()
        for number in range(100_000):
            if number % 20 == 0:
                slow.commit() if number % 40 else slow.rollback()
                pgwallet.deposit(slow, wallets[0], 1)
            pledge = pgwallet.pledge(conn, wallets[1 + number % 3], film, 1)
            pgwallet.release_escrow(conn, pledge.escrow_id)
            pgwallet.deposit(conn, wallets[1 + number % 3], 1)
            conn.rollback() if number % 7 == 0 else conn.commit()
            if over.wait(0.002):
                break
        slow.commit()


def test_it_is_exact_after_being_killed_again_and_again(
    connect: Connect, database: str, model: str
) -> None:
    over = threading.Event()
    writer = threading.Thread(target=move, args=(database, over))
    writer.start()
    command = [sys.executable, str(Path("examples", "read_model.py")), database, model, "--follow"]
    try:
        for _ in range(KILLS):
            begun, deadline = position(model), time.monotonic() + DEADLINE
            with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as program:
                while position(model) < begun + 100:
                    assert program.poll() is None, program.communicate()
                    assert time.monotonic() < deadline
                    time.sleep(0.01)
                program.kill()
    finally:
        over.set()
        writer.join()
    keep(database, model, follow=False)
    with psycopg.connect(model) as conn:
        kept = conn.execute(IN_THE_MODEL).fetchall()
    assert kept == connect().execute(IN_THE_LEDGER).fetchall()


def test_a_second_program_stops_instead_of_counting_twice(
    connect: Connect, database: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn = connect(autocommit=True)
    funded(conn, "ada", 10)
    feed = pgwallet.feed

    def overtaken(source: psycopg.Connection, after: int, follow: bool) -> Iterator[object]:
        """The other one is faster while this one has a batch in hand."""
        for batch in feed(source, after, follow):
            monkeypatch.setattr(pgwallet, "feed", feed)
            keep(database, model, follow=False)
            yield batch

    monkeypatch.setattr(pgwallet, "feed", overtaken)
    with pytest.raises(SystemExit, match="another program"):
        keep(database, model, follow=False)
    with psycopg.connect(model) as other:
        kept = other.execute(IN_THE_MODEL).fetchall()
    assert kept == conn.execute(IN_THE_LEDGER).fetchall()
