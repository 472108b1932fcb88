"""Databases that cannot be migrated: the error says what to do, and nothing changes."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet.deployment import DeploymentError, connecting
from tests.access.roles import as_role, login_role
from tests.databases import OWNER, as_owner

pytestmark = pytest.mark.sql


def run(conninfo: str, script: str) -> None:
    with psycopg.connect(conninfo) as conn:
        conn.execute(script.encode())


def test_a_role_that_may_not_create_the_schema(stranger: str, empty_database: str) -> None:
    with pytest.raises(DeploymentError, match="create schema pgwallet authorization"):
        pgwallet.migrate(as_role(empty_database, stranger))


def test_the_statement_it_then_names_is_right(stranger: str, empty_database: str) -> None:
    with pytest.raises(DeploymentError) as refusal:
        pgwallet.migrate(as_role(empty_database, stranger))
    run(empty_database, str(refusal.value).partition("run: ")[2])

    assert pgwallet.migrate(as_role(empty_database, stranger)).functions_installed


def test_a_schema_that_belongs_to_somebody_else(stranger: str, database: str) -> None:
    for other in (database, as_role(database, stranger)):
        with pytest.raises(DeploymentError, match=f"belongs to {OWNER}.*options='-c role={OWNER}'"):
            pgwallet.migrate(other)


def test_the_status_for_a_role_that_may_not_read_it(stranger: str, database: str) -> None:
    with pytest.raises(DeploymentError, match="connect as the owner of the schema pgwallet"):
        pgwallet.status(as_role(database, stranger))


@pytest.mark.parametrize(
    "foreign",
    [
        "create table pgwallet.theirs (id int)",
        "create view pgwallet.theirs as select 1 as one",
        "create function pgwallet.theirs() returns int language sql return 1",
    ],
)
def test_a_schema_with_objects_of_somebody_else(empty_database: str, foreign: str) -> None:
    run(as_owner(empty_database), f"create schema pgwallet; {foreign}")

    with pytest.raises(DeploymentError, match="did not make: theirs"):
        pgwallet.migrate(as_owner(empty_database))


def test_a_database_newer_than_the_code(database: str) -> None:
    run(database, "insert into pgwallet._yoyo_migration values ('x', '9999_future', now())")

    found = pgwallet.status(as_owner(database))
    assert (found.unknown, found.up_to_date) == (("9999_future",), False)
    with pytest.raises(DeploymentError, match="newer than this pgwallet: it has 9999_future"):
        pgwallet.migrate(as_owner(database))


def test_a_server_that_is_too_old(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No server older than 15 is at hand, so the limit moves instead."""
    monkeypatch.setattr(connecting, "OLDEST_SERVER", 99)

    with pytest.raises(DeploymentError, match="PostgreSQL 99 or later, this server is 1"):
        pgwallet.migrate(as_owner(database))


@pytest.mark.parametrize("waits_for", ["a table", "another deployment"])
def test_locks_that_others_do_not_let_go(database: str, waits_for: str) -> None:
    run(database, "comment on function pgwallet.grant_app(name) is 'edited'")
    owner = as_owner(database)

    with psycopg.connect(database) as other:
        if waits_for == "a table":
            other.execute("lock table pgwallet.deployment in share mode")
        else:
            other.execute(
                "select pg_advisory_xact_lock(hashtextextended('pgwallet.deployment', 0))"
            )
        with pytest.raises(DeploymentError, match="was not to be had; nothing was changed"):
            pgwallet.migrate(owner, wait=0)

    assert pgwallet.migrate(owner, wait=0).functions_installed


def test_a_server_that_cannot_be_reached(server: str) -> None:
    for unreachable in (
        make_conninfo(server, dbname="no such database"),
        make_conninfo(host="/no/such/directory", dbname="x"),
    ):
        with pytest.raises(psycopg.OperationalError):
            pgwallet.migrate(unreachable)
        with pytest.raises(psycopg.OperationalError):
            pgwallet.status(unreachable)


@pytest.fixture
def stranger(server: str) -> Iterator[str]:
    with login_role(server) as name:
        yield name
