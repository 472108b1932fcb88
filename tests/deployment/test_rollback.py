"""The migrations together with their rollbacks leave nothing behind."""

import psycopg
import pytest
from yoyo import read_migrations
from yoyo.migrations import topological_sort

import pgwallet
from pgwallet.deployment import migrations_directory
from tests.databases import as_owner
from tests.deployment.programs import schema_dump, yoyo

YOYO_TABLES = {"yoyo_lock", "_yoyo_log", "_yoyo_migration", "_yoyo_version"}


def roll_back(conninfo: str) -> None:
    completed = yoyo(as_owner(conninfo), "rollback", "--all")
    assert (completed.returncode, completed.stderr) == (0, "")


@pytest.mark.sql
def test_rolling_everything_back_leaves_yoyos_own_tables(database: str) -> None:
    roll_back(database)

    with psycopg.connect(database) as conn:
        left = conn.execute(
            """
            select c.relname::text from pg_class as c
            where c.relnamespace = 'pgwallet'::regnamespace and c.relkind not in ('i', 't')
            union all
            select p.oid::regprocedure::text from pg_proc as p
            where p.pronamespace = 'pgwallet'::regnamespace
            union all
            select t.typname::text from pg_type as t
            where t.typnamespace = 'pgwallet'::regnamespace and t.typtype in ('d', 'e', 'r')
            """
        ).fetchall()
        marks = conn.execute("select m.migration_id from pgwallet._yoyo_migration as m").fetchall()
    assert ({name for (name,) in left}, marks) == (YOYO_TABLES, [])


@pytest.mark.sql
def test_a_database_that_was_rolled_back_can_be_migrated_again(database: str) -> None:
    before = schema_dump(database)
    roll_back(database)

    assert pgwallet.migrate(as_owner(database)).functions_installed
    assert schema_dump(database) == before


def test_migrations_are_sql_in_one_order_and_each_has_a_rollback() -> None:
    """`migrate` runs them in the order of their names, in its own transaction."""
    migrations = read_migrations(str(migrations_directory()))

    assert list(topological_sort(migrations)) == list(migrations)
    for migration, previous in zip(migrations, [None, *migrations], strict=False):
        assert migration.path.endswith(".sql")
        assert migration.use_transactions
        assert migration.depends == ({previous} if previous else set())
        assert (migrations_directory() / f"{migration.id}.rollback.sql").is_file()
