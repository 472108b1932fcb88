"""A reader keeps one number, and goes on with it: in a restored database, after a promotion."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet import embedded
from tests import servers
from tests.concurrency.sessions import blocked
from tests.deployment.own_server import directory, programs, standby_of
from tests.deployment.programs import restore
from tests.following.sealing import seal
from tests.ledger.calling import funded
from tests.waiting import until

pytestmark = pytest.mark.sql

Connection = psycopg.Connection[Any]


@contextmanager
def ledger_in(server: embedded.Server) -> Iterator[Connection]:
    """A migrated database on it, in place of the one of another test."""
    with psycopg.connect(server.conninfo, autocommit=True) as admin:
        admin.execute("drop database if exists ledger with (force)")
        admin.execute("create database ledger")
    pgwallet.migrate(in_ledger(server))
    with psycopg.connect(in_ledger(server), autocommit=True) as conn:
        yield conn


def in_ledger(server: embedded.Server) -> str:
    return make_conninfo(server.conninfo, dbname="ledger")


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with directory() as its:
        yield its


@pytest.fixture(scope="module")
def primary(server: str, place: Path) -> Iterator[embedded.Server]:
    """A server that takes prepared transactions and standbys, until the last test stops it."""
    start = partial(servers.started, programs(server), place / "primary")
    with start() as once, psycopg.connect(once.conninfo, autocommit=True) as admin:
        admin.execute("alter system set max_prepared_transactions = 4")
    with start() as started:
        yield started


def ids(conn: Connection) -> list[int]:
    rows = conn.execute("select posting_id from pgwallet.posting order by 1").fetchall()
    return [row[0] for row in rows]


def ids_in(rows: list[pgwallet.FeedRow] | list[pgwallet.StatementRow]) -> list[int]:
    return [row.posting_id for row in rows]


def external(conn: Connection) -> int:
    row = conn.execute(
        "select external_account_id from pgwallet.currency where currency = 'EUR'"
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_in_a_restored_database_it_goes_on(
    database: str, empty_database: str, tmp_path: Path
) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        wallet = funded(conn, "ada", 1)
        for _ in range(4):
            pgwallet.deposit(conn, wallet, 1)
        seen = pgwallet.read_feed(conn, 0, 2)[-1].posting_id
    restore(database, empty_database, tmp_path / "dump")
    with psycopg.connect(empty_database, autocommit=True) as conn:
        rest = pgwallet.read_feed(conn, seen)
        assert len(rest) == 3
        pgwallet.deposit(conn, wallet, 1)
        new = pgwallet.read_feed(conn, rest[-1].posting_id)
        assert len(new) == 1
        assert ids_in([*rest, *new]) == ids(conn)[2:]


def test_it_waits_for_a_prepared_transaction_and_names_it(primary: embedded.Server) -> None:
    with (
        ledger_in(primary) as conn,
        psycopg.connect(in_ledger(primary)) as writer,
        psycopg.connect(in_ledger(primary), autocommit=True) as reader,
    ):
        wallets = [funded(conn, name, 1) for name in ("ada", "eve")]
        told: list[str] = []
        reader.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
        writer.tpc_begin("transfer 17")
        pgwallet.deposit(writer, wallets[0], 1)
        # Whoever looked while it was not prepared yet waits for it, too.
        statement = partial(pgwallet.statement, reader, external(conn))
        with blocked(reader, conn, statement, "Timeout") as lines:
            writer.tpc_prepare()
            pgwallet.deposit(conn, wallets[1], 1)
            assert lines.result() == []
        assert "a prepared transaction" in told[0]
        with blocked(reader, conn, partial(pgwallet.read_feed, reader), "Timeout") as rows:
            until(lambda: len(told) > 1)
            writer.tpc_commit()
            assert ids_in(rows.result()) == ids(conn)
        assert "prepared as 'transfer 17'" in told[1]


def test_on_a_standby_it_reads_what_is_sealed_and_goes_on_once_that_is_promoted(
    primary: embedded.Server, place: Path
) -> None:
    with ledger_in(primary) as conn, closing(psycopg.connect(in_ledger(primary))) as lost:
        wallet = funded(conn, "ada", 1)
        seen = ids(conn)[-1]
        with standby_of(primary, place / "standby") as standby:
            pgwallet.deposit(conn, wallet, 1)
            sealed = seal(conn)
            pgwallet.deposit(lost, funded(conn, "eve", 1), 1)
            known = ids(conn)
            with psycopg.connect(in_ledger(standby), autocommit=True) as there:
                until(lambda: ids(there) == known)
                assert ids_in(pgwallet.read_feed(there, seen, 1)) == [sealed]
                with pytest.raises(errors.ReadOnlySqlTransaction):
                    pgwallet.read_feed(there, sealed)
                lines = pgwallet.statement(there, external(there), seen)
                assert ids_in(lines) == [sealed]
                with pytest.raises(errors.ReadOnlySqlTransaction):
                    pgwallet.statement(there, external(there), sealed)

                primary.stop()
                there.execute("select pg_promote()")
                rest = pgwallet.read_feed(there, sealed)
                assert ids_in(rest) == known[2:]
                pgwallet.deposit(there, wallet, 1)
                assert ids_in(pgwallet.read_feed(there, rest[-1].posting_id)) == ids(there)[3:]
                assert len(set(ids(there))) == len(known) + 1
