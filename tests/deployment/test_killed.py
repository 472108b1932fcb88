"""A `migrate` that dies half-way leaves the old or the new, and nothing that has to be cleared."""

import signal
import subprocess
import sys

import psycopg
import pytest

import pgwallet
from tests.databases import as_owner
from tests.deployment.contention import halt_before, wait_until_waiting

pytestmark = pytest.mark.sql

MIGRATE = "import sys, pgwallet; pgwallet.migrate(sys.argv[1])"


def migrate_and_die_at(command: str, conninfo: str) -> None:
    """Runs `migrate` in a process of its own and kills it while it waits at such a command."""
    with halt_before(conninfo, command):
        process = subprocess.Popen([sys.executable, "-c", MIGRATE, as_owner(conninfo)])
        wait_until_waiting(conninfo)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        with psycopg.connect(conninfo, autocommit=True) as admin:
            # The server would notice only when the wait is over, and then not finish either.
            admin.execute(
                """
                select pg_terminate_backend(a.pid, 10000) from pg_stat_activity as a
                where a.datname = current_database() and a.wait_event_type = 'Lock'
                """
            )


@pytest.mark.parametrize("command", ["CREATE VIEW", "CREATE FUNCTION", "COMMENT", "REVOKE"])
def test_a_killed_installation_leaves_nothing(empty_database: str, command: str) -> None:
    migrate_and_die_at(command, empty_database)

    with psycopg.connect(empty_database) as conn:
        assert conn.execute("select to_regnamespace('pgwallet')").fetchone() == (None,)
    assert pgwallet.migrate(as_owner(empty_database)).functions_installed
    assert pgwallet.status(as_owner(empty_database)).up_to_date


@pytest.mark.parametrize("command", ["CREATE FUNCTION", "REVOKE"])
def test_a_killed_upgrade_leaves_the_old_functions(database: str, command: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("drop function pgwallet.grant_app(name)")
        conn.execute("create function pgwallet.old() returns int language sql as 'select 1'")
    before = pgwallet.status(as_owner(database))

    migrate_and_die_at(command, database)

    assert pgwallet.status(as_owner(database)) == before
    assert pgwallet.migrate(as_owner(database)).mended == before.drift
    assert pgwallet.status(as_owner(database)).up_to_date


def test_a_killed_rollout_of_a_migration_leaves_no_mark(database: str) -> None:
    """The last migration is taken back, so that the next `migrate` has one pending."""
    with psycopg.connect(database) as conn:
        conn.execute("drop view pgwallet.installed_routine")
        conn.execute("drop table pgwallet.deployment")
        conn.execute("drop function pgwallet._close_to_public()")
        conn.execute(
            "delete from pgwallet._yoyo_migration as m where m.migration_id = '0013_deployment'"
        )

    migrate_and_die_at("CREATE FUNCTION", database)

    assert pgwallet.status(as_owner(database)).pending == ("0013_deployment",)
    assert pgwallet.migrate(as_owner(database)).applied == ("0013_deployment",)
    assert pgwallet.status(as_owner(database)).up_to_date
