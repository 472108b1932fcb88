"""A restore that leaves out rights or owners opens the ledger to nobody, until `migrate`."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import errors, sql

import pgwallet
from tests.access.roles import as_role, login_role
from tests.catalogue.world import World, world_in
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


def test_nobody_may_call_after_a_restore_without_rights(
    operator: str, world: World, database: str, empty_database: str, tmp_path: Path
) -> None:
    restore(database, empty_database, tmp_path / "dump", "--no-privileges")

    assert executable_by_public(empty_database) == []
    with psycopg.connect(as_role(empty_database, operator)) as conn:
        with (
            pytest.raises(errors.InsufficientPrivilege, match="schema pgwallet"),
            conn.transaction(),
        ):
            pgwallet.payout(conn, world.succeeded, 1)
        # What a DBA gives who reads that message.
        with psycopg.connect(empty_database) as admin:
            admin.execute(
                sql.SQL("grant usage on schema pgwallet to {}").format(sql.Identifier(operator))
            )
        with pytest.raises(errors.InsufficientPrivilege, match="function payout"):
            pgwallet.payout(conn, world.succeeded, 1)
