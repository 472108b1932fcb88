"""`migrate`, plain yoyo and psql alone end in the same database."""

from collections.abc import Callable

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet.deployment import Drift, install_script
from tests.databases import OWNER, as_owner
from tests.deployment.programs import psql, schema_dump, yoyo

pytestmark = pytest.mark.sql

ROWS = """
select 'migration', m.migration_hash, m.migration_id from pgwallet._yoyo_migration as m
union all select 'yoyo', v.version::text, null from pgwallet._yoyo_version as v
union all select 'log', l.migration_id, l.operation from pgwallet._yoyo_log as l
  where l.migration_id <> 'post-apply'
union all select 'lock', k.locked::text, null from pgwallet.yoyo_lock as k
union all select 'deployment', d.version, d.source_hash from pgwallet.deployment as d
union all select 'currency', c.currency, row_to_json(c)::text from pgwallet.currency as c
union all select 'settings', row_to_json(s)::text, null from pgwallet.settings as s
order by 1, 2, 3
"""


def install_with_yoyo(conninfo: str) -> None:
    with psycopg.connect(conninfo) as conn:
        conn.execute("create schema pgwallet")
    completed = yoyo(conninfo, "apply")
    assert completed.returncode == 0, completed.stderr


def install_with_psql(conninfo: str) -> None:
    completed = psql(conninfo, install_script())
    assert (completed.returncode, completed.stderr) == (0, "")


def install_with_psql_and_savepoints(conninfo: str) -> None:
    """As some have it in their .psqlrc: each statement is in a savepoint of its own."""
    completed = psql(conninfo, install_script(), "ON_ERROR_ROLLBACK=on", "AUTOCOMMIT=off")
    assert (completed.returncode, completed.stderr) == (0, "")


@pytest.mark.parametrize(
    "install", [install_with_yoyo, install_with_psql, install_with_psql_and_savepoints]
)
def test_all_ways_end_in_the_same_database(
    database: str, empty_database: str, install: Callable[[str], None]
) -> None:
    owner = as_owner(empty_database)

    install(owner)

    assert pgwallet.status(owner).up_to_date
    assert rows(empty_database) == rows(database)
    assert schema_dump(empty_database) == schema_dump(database)
    read_only = make_conninfo(owner, options=f"-c role={OWNER} -c default_transaction_read_only=on")
    assert not pgwallet.migrate(read_only).functions_installed


def test_yoyo_finds_nothing_to_do_after_migrate_or_psql(database: str, empty_database: str) -> None:
    install_with_psql(as_owner(empty_database))
    for conninfo in (database, empty_database):
        before = rows(conninfo)
        completed = yoyo(as_owner(conninfo), "apply")
        assert completed.returncode == 0, completed.stderr
        assert rows(conninfo) == before


def test_migrate_goes_on_where_yoyo_stopped(empty_database: str) -> None:
    owner = as_owner(empty_database)
    install_with_yoyo(owner)
    with psycopg.connect(owner) as conn:
        conn.execute("drop view pgwallet.installed_routine")
        conn.execute("drop table pgwallet.deployment")
        conn.execute("drop function pgwallet._close_to_public()")
        conn.execute("delete from pgwallet._yoyo_migration where migration_id = '0013_deployment'")

    assert pgwallet.migrate(owner).applied == ("0013_deployment",)
    assert pgwallet.status(owner).up_to_date


def test_psql_refuses_a_second_install_and_changes_nothing(database: str) -> None:
    before = rows(database)

    completed = psql(as_owner(database), install_script(), "VERBOSITY=verbose")

    assert "ERROR:  55000: the schema pgwallet already holds tables" in completed.stderr
    assert "HINT:  Upgrade with pgwallet migrate" in completed.stderr
    assert rows(database) == before


def test_psql_installs_the_functions_alone(database: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("drop function pgwallet.grant_app(name)")
    assert pgwallet.status(as_owner(database)).drift == (
        Drift("function", "pgwallet.grant_app(name)", "missing"),
    )

    completed = psql(as_owner(database), install_script(functions_only=True))

    assert (completed.returncode, completed.stderr) == (0, "")
    assert pgwallet.status(as_owner(database)).up_to_date


def rows(conninfo: str) -> list[tuple[object, ...]]:
    with psycopg.connect(conninfo) as conn:
        return conn.execute(ROWS).fetchall()
