"""A dump, restored into an empty database, is the same ledger, and work goes on in it."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import IsolationLevel, errors
from psycopg.conninfo import make_conninfo

import pgwallet
from tests.access.roles import as_role, login_role
from tests.catalogue.world import world_in
from tests.databases import as_owner
from tests.deployment.programs import of_server, restore, schema_dump
from tests.ledger.calling import everything, value
from tests.ledger.test_blank_texts import INVISIBLE, VISIBLE
from tests.storm.told import RefundedBatch, Told
from tests.storm.workers import storm

CONNECTIONS = 6
CALLS = 500

Copy = Callable[[str, str, Path], None]


def copy_as_archive(source: str, destination: str, file: Path) -> None:
    restore(source, destination, file)


def copy_as_script(source: str, destination: str, file: Path) -> None:
    of_server(source, "pg_dump", "--format=plain", f"--file={file}", f"--dbname={source}")
    script = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={file}")
    of_server(destination, "psql", *script, f"--dbname={destination}")


COPIES = pytest.mark.parametrize("copy", [copy_as_archive, copy_as_script])


@COPIES
def test_a_restored_database_is_the_same(
    operator: str, database: str, empty_database: str, tmp_path: Path, copy: Copy
) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("select pgwallet.grant_operator(%s)", [operator])
        world_in(conn)
    with psycopg.connect(database, autocommit=True) as conn:
        sealed = pgwallet.seal_ledger(conn)
        assert sealed is not None

    copy(database, empty_database, tmp_path / "dump")

    assert schema_dump(empty_database) == schema_dump(database)
    with psycopg.connect(database) as original, psycopg.connect(empty_database) as restored:
        assert everything(restored) == everything(original)
        assert pgwallet.check_ledger(restored) == []
        assert pgwallet.check_seals(restored) is None
        assert [each.digest for each in pgwallet.list_seals(restored)] == [sealed.digest]
    assert pgwallet.status(as_owner(empty_database)).up_to_date


@COPIES
def test_work_goes_on_in_a_restored_database(
    operator: str, database: str, empty_database: str, tmp_path: Path, copy: Copy
) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("select pgwallet.grant_operator(%s)", [operator])
        world = world_in(conn)
        before = pgwallet.deposit(conn, world.wallet, 5, "before the dump")
        last_posting = value(conn, "select max(p.posting_id) from pgwallet.posting as p")

    copy(database, empty_database, tmp_path / "dump")

    with psycopg.connect(as_role(empty_database, operator), autocommit=True) as conn:
        again = pgwallet.deposit(conn, world.wallet, 5, "before the dump")
        assert (again.transaction_id, again.replayed) == (before.transaction_id, True)
        after = pgwallet.deposit(conn, world.wallet, 5, "after the restore")
        assert after.transaction_id > before.transaction_id
        assert pgwallet.statement(conn, world.wallet)[-1].posting_id > last_posting

        wallet = pgwallet.create_wallet(conn, "bob")
        project = pgwallet.create_project(conn, "a new one")
        pledge = pgwallet.pledge(conn, world.wallet, project.project_id, 10)
        new_ids = {wallet.wallet_id >> 10, project.project_id >> 10, pledge.escrow_id >> 10}
        assert min(new_ids) > world.settled_escrow >> 10
        conn.execute("call pgwallet.release_project(%s)", [project.project_id])
        conn.execute("call pgwallet.release_project(%s)", [world.succeeded])
        (batch,) = pgwallet.refund_project(conn, world.failed)
        assert batch.escrow_count == 1
        pgwallet.payout(conn, project.project_id, 9)
        with pytest.raises(pgwallet.EscrowNotLocked):
            pgwallet.release_escrow(conn, pledge.escrow_id)
        assert pgwallet.check_ledger(conn) == []
    with psycopg.connect(empty_database) as conn, pytest.raises(psycopg.Error) as refused:
        conn.execute("delete from pgwallet.posting")
    assert refused.value.sqlstate == "PW901"
    assert pgwallet.migrate(as_owner(empty_database)).functions_installed is False


# What a database may sort and class its characters by; the first that the server has is taken.
OTHER_LOCALES = (
    "encoding 'UTF8' locale_provider icu icu_locale 'en-US' locale 'C.UTF-8'",
    "encoding 'UTF8' locale_provider builtin builtin_locale 'C.UTF-8' locale 'C'",
    "encoding 'UTF8' locale 'C.UTF-8'",
)


@contextmanager
def created_in(server: str, locales: Sequence[str]) -> Iterator[str]:
    name = f"pgwallet_test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as admin:
        for locale in locales:
            with suppress(errors.DatabaseError):
                admin.execute(f"create database {name} template template0 {locale}".encode())
                break
        else:
            pytest.skip("the server has no such locale")
        try:
            yield make_conninfo(server, dbname=name)
        finally:
            admin.execute(f"drop database {name} with (force)".encode())


def test_what_was_taken_in_one_locale_is_restored_in_another(server: str, tmp_path: Path) -> None:
    """Whatever a call took, though locales differ in what is a blank."""
    with (
        created_in(server, ["encoding 'UTF8' locale 'C'"]) as plain,
        created_in(server, OTHER_LOCALES) as other,
    ):
        pgwallet.migrate(plain)
        with psycopg.connect(plain) as conn:
            world = world_in(conn)
            for text in (*INVISIBLE, *VISIBLE):
                with suppress(pgwallet.InvalidArgument), conn.transaction():
                    pgwallet.create_wallet(conn, text)
                    pgwallet.create_project(conn, text)
                    pgwallet.create_pocket(conn, world.wallet, text)
                    pgwallet.deposit(conn, world.wallet, 1, idempotency_key=text)

        copy_as_archive(plain, other, tmp_path / "dump")

        with psycopg.connect(plain) as conn, psycopg.connect(other) as restored:
            pgwallet.deposit(restored, world.wallet, 1, idempotency_key=VISIBLE[0])
            assert counted(restored) == counted(conn)
            assert pgwallet.check_ledger(restored) == []


def counted(conn: psycopg.Connection) -> dict[str, int]:
    return {table: count for table, (count, _) in everything(conn).items()}


@pytest.mark.timeout(300)
def test_a_dump_taken_amid_a_storm_is_sound(
    operator: str, database: str, empty_database: str, tmp_path: Path
) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("select pgwallet.grant_operator(%s)", [operator])

    level = IsolationLevel.READ_COMMITTED
    with storm(as_role(database, operator), level, "dump", CONNECTIONS) as raging:
        raging.until_told(CALLS)
        before = list(raging.records)
        copy_as_archive(database, empty_database, tmp_path / "dump")

    assert raging.failures == []
    with psycopg.connect(empty_database) as restored:
        assert pgwallet.check_ledger(restored) == []
        rows = restored.execute("select t.transaction_id from pgwallet.transaction as t")
        there = {number for (number,) in rows}
    told = {record.transaction_id for record in before if isinstance(record, Told | RefundedBatch)}
    assert told <= there
    assert pgwallet.status(as_owner(empty_database)).up_to_date


@pytest.fixture
def operator(server: str) -> Iterator[str]:
    """Asked for before the databases, so that what it was granted goes first."""
    with login_role(server) as name:
        yield name
