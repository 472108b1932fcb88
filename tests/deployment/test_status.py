"""`status` says what a database lacks, and changes nothing."""

import time

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet.deployment import DeploymentError, migrations_directory
from pgwallet.deployment.code import read_code
from pgwallet.deployment.comparing import compare
from tests.databases import as_owner

pytestmark = pytest.mark.sql


def test_of_a_database_without_pgwallet_everything_is_pending(empty_database: str) -> None:
    found = pgwallet.status(empty_database)

    files = sorted(migrations_directory().glob("*.sql"))
    assert found.pending == tuple(f.stem for f in files if not f.stem.endswith(".rollback"))
    assert (found.unknown, found.functions_differ, found.drift) == ((), True, ())
    assert not found.up_to_date


def test_it_writes_nothing(empty_database: str, database: str) -> None:
    for conninfo in (empty_database, database):
        pgwallet.status(make_conninfo(conninfo, options="-c default_transaction_read_only=on"))


def test_the_path_of_the_session_makes_no_drift(database: str) -> None:
    for path in ("pgwallet", "public", "pgwallet,pg_catalog"):
        assert pgwallet.status(make_conninfo(database, options=f"-c search_path={path}")).up_to_date


def test_a_deployment_is_recorded_once_with_its_author(database: str) -> None:
    pgwallet.migrate(as_owner(database))

    with psycopg.connect(database) as conn:
        rows = conn.execute(
            "select d.deployed_by = session_user, d.deployed_at <= now()"
            " from pgwallet.deployment as d"
        ).fetchall()
    assert rows == [(True, True)]


def test_it_waits_for_nobody_who_changes_the_schema(database: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("lock table pgwallet.account in access exclusive mode")
        begin = time.monotonic()
        with pytest.raises(DeploymentError, match="somebody is changing the schema pgwallet"):
            pgwallet.status(database)
        assert time.monotonic() - begin < 5


def test_nobody_waits_for_it(database: str) -> None:
    with psycopg.connect(database) as conn, psycopg.connect(database, autocommit=True) as other:
        compare(conn, read_code())
        other.execute("set lock_timeout = '2s'")
        with other.transaction():
            other.execute("lock table pgwallet.account in access exclusive mode")


def test_with_migrations_pending_it_tells_of_functions_and_rights(conn: psycopg.Connection) -> None:
    """Not of tables: what the migrations are to change would be named, too."""
    conn.execute("delete from pgwallet._yoyo_migration where migration_id like '0014%'")
    conn.execute("alter table pgwallet.account add column note text")
    conn.execute("comment on function pgwallet.grant_app(name) is 'edited'")
    conn.execute("grant delete on pgwallet.wallet to public")
    found = compare(conn, read_code())
    assert len(found.pending) == 1
    assert [(each.kind, each.name, each.what) for each in found.drift] == [
        ("function", "pgwallet.grant_app(name)", "edited"),
        ("table", "wallet", "rights"),
    ]


def test_with_functions_of_another_version_it_tells_of_owners(conn: psycopg.Connection) -> None:
    """Nothing says what those functions were, so none of them is called to tell more."""
    conn.execute("update pgwallet.deployment set version = '0.0.1', source_hash = 'another'")
    conn.execute("comment on function pgwallet.grant_app(name) is 'edited'")
    conn.execute("create role boss")
    conn.execute("alter table pgwallet.wallet owner to boss")
    found = compare(conn, read_code())
    assert {(each.kind, each.name, each.what) for each in found.drift} == {
        ("table", "wallet", "owner")
    }


def test_of_a_newer_version_nothing_but_that_is_told(conn: psycopg.Connection) -> None:
    conn.execute("update pgwallet.deployment set version = '99.0', source_hash = 'another'")
    conn.execute("create role boss")
    conn.execute("alter table pgwallet.wallet owner to boss")
    found = compare(conn, read_code())
    assert (found.newer, found.drift) == (True, ())
