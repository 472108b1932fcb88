"""A restore that leaves out rights or owners opens the ledger to nobody, until `migrate`."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo

import pgwallet
from tests.access.roles import as_role, login_role
from tests.catalogue.world import World, world_in
from tests.databases import OWNER, as_owner
from tests.deployment.programs import restore

pytestmark = pytest.mark.sql


@pytest.fixture
def operator(server: str) -> Iterator[str]:
    """Asked for before the databases, so that what it was granted goes first."""
    with login_role(server) as name:
        yield name


@pytest.fixture
def world(operator: str, database: str) -> World:
    with psycopg.connect(database) as conn:
        conn.execute("select pgwallet.grant_operator(%s)", [operator])
        return world_in(conn)


def executable_by_public(conninfo: str) -> list[str]:
    with psycopg.connect(conninfo) as conn:
        rows = conn.execute(
            """
            select p.oid::regprocedure::text from pg_proc as p
            where p.pronamespace = 'pgwallet'::regnamespace
              and has_function_privilege('public', p.oid, 'execute')
            """
        )
        return [signature for (signature,) in rows]


def give_usage(conninfo: str, role: str) -> None:
    """What a DBA gives who reads that the schema is denied."""
    with psycopg.connect(conninfo) as conn:
        conn.execute(sql.SQL("grant usage on schema pgwallet to {}").format(sql.Identifier(role)))


def owned_by(conninfo: str) -> set[str]:
    with psycopg.connect(conninfo) as conn:
        rows = conn.execute(
            """
            select pg_get_userbyid(p.proowner) from pg_proc as p
            where p.pronamespace = 'pgwallet'::regnamespace
            union
            select pg_get_userbyid(c.relowner) from pg_class as c
            where c.relnamespace = 'pgwallet'::regnamespace
            """
        )
        return {name for (name,) in rows}


@pytest.mark.parametrize("has_other_owner", [False, True], ids=["-x", "hosted"])
def test_nobody_but_the_owner_may_call_until_migrate(
    operator: str,
    hosted: str,
    world: World,
    database: str,
    empty_database: str,
    tmp_path: Path,
    has_other_owner: bool,
) -> None:
    options = ["--no-owner", "--no-acl", f"--role={hosted}"] if has_other_owner else ["-x"]
    owner = hosted if has_other_owner else OWNER
    if has_other_owner:
        let_create(empty_database, hosted)

    restore(database, empty_database, tmp_path / "dump", *options)

    assert executable_by_public(empty_database) == []
    assert owned_by(empty_database) == {owner}
    with psycopg.connect(as_role(empty_database, operator), autocommit=True) as conn:
        with pytest.raises(errors.InsufficientPrivilege, match="schema pgwallet"):
            pgwallet.payout(conn, world.succeeded, 1)
        give_usage(empty_database, operator)
        with pytest.raises(errors.InsufficientPrivilege, match="function payout"):
            pgwallet.payout(conn, world.succeeded, 1)
        assert not pgwallet.status(acting_as(empty_database, owner)).up_to_date

        assert pgwallet.migrate(acting_as(empty_database, owner)).functions_installed

        assert pgwallet.status(acting_as(empty_database, owner)).up_to_date
        pgwallet.deposit(conn, world.wallet, 1)
        assert pgwallet.check_ledger(conn) == []


def test_rights_come_along_when_only_the_owner_is_another(
    operator: str,
    hosted: str,
    world: World,
    database: str,
    empty_database: str,
    tmp_path: Path,
) -> None:
    let_create(empty_database, hosted)

    restore(database, empty_database, tmp_path / "dump", "--no-owner", f"--role={hosted}")

    assert owned_by(empty_database) == {hosted}
    assert executable_by_public(empty_database) == []
    with psycopg.connect(as_role(empty_database, operator), autocommit=True) as conn:
        pgwallet.deposit(conn, world.wallet, 1)
        with pytest.raises(errors.InsufficientPrivilege):
            pgwallet.create_currency(conn, "POINTS", 0, "Points")
    pgwallet.migrate(acting_as(empty_database, hosted))
    assert pgwallet.status(acting_as(empty_database, hosted)).up_to_date


def test_a_schema_without_rows_moves_nothing_and_is_closed_when_its_rows_come(
    operator: str, world: World, database: str, empty_database: str, tmp_path: Path
) -> None:
    """As one is made for logical replication."""
    restore(database, empty_database, tmp_path / "dump", "--schema-only", "--no-privileges")
    give_usage(empty_database, operator)
    with psycopg.connect(as_role(empty_database, operator), autocommit=True) as conn:
        with pytest.raises(pgwallet.CurrencyMismatch):
            pgwallet.create_wallet(conn, "eve")
        with psycopg.connect(empty_database) as admin:
            admin.execute("insert into pgwallet.deployment (version, source_hash) values ('1', '')")
        with pytest.raises(errors.InsufficientPrivilege, match="function create_wallet"):
            pgwallet.create_wallet(conn, "eve")
    assert executable_by_public(empty_database) == []


@pytest.mark.parametrize("is_migrated", [False, True], ids=["no rows", "migrated"])
def test_rows_alone_are_refused_loudly(
    world: World, database: str, empty_database: str, tmp_path: Path, is_migrated: bool
) -> None:
    """Some refer to each other, and what `migrate` made has rows of its own, such as currencies."""
    dump = tmp_path / "dump"
    if is_migrated:
        pgwallet.migrate(as_owner(empty_database))
    else:
        restore(database, empty_database, dump, "--schema-only")

    with pytest.raises(AssertionError, match=r"duplicate key|violates foreign key"):
        restore(database, empty_database, dump, "--data-only", "--single-transaction")

    with psycopg.connect(empty_database) as conn:
        assert pgwallet.list_wallets(conn, "ada") == []


def let_create(conninfo: str, role: str) -> None:
    with psycopg.connect(conninfo) as conn:
        conn.execute(
            sql.SQL("grant create on database {} to {}").format(
                sql.Identifier(conn.info.dbname), sql.Identifier(role)
            )
        )


def acting_as(conninfo: str, role: str) -> str:
    return make_conninfo(conninfo, options="-c role=" + role.replace(" ", "\\ "))


@pytest.fixture
def hosted(server: str) -> Iterator[str]:
    """The role that a hosted service gives, which is to own it there."""
    with login_role(server) as name:
        yield name
