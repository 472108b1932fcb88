"""Every command through a pgbouncer in transaction mode, on what others left of their sessions."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet.cli import demo
from tests.access.roles import login_role
from tests.cli.command import pgwallet_command, pgwallet_here, pledged_project
from tests.cli.test_every_function import every_command_once
from tests.databases import OWNER
from tests.examples import bouncer


@pytest.fixture
def pooler(server: str, database: str) -> Iterator[str]:
    """A pgbouncer with one connection, whose role acts as the owner since it may send no options.

    Another client has prepared statements there, under the names that each psycopg gives.
    """
    with login_role(server) as role, psycopg.connect(server, autocommit=True) as admin:
        names = {"role": sql.Identifier(role), "owner": sql.Identifier(OWNER)}
        admin.execute(sql.SQL("grant {owner} to {role}").format(**names))
        admin.execute(sql.SQL("alter role {role} set role = {owner}").format(**names))
        target = make_conninfo(database, user=role)
        with bouncer.in_front_of(target, "default_pool_size = 1") as pooler:
            with psycopg.connect(pooler, autocommit=True, prepare_threshold=0) as another:
                for number in range(5):
                    another.execute(f"select {number} from pgwallet.currency")
            yield pooler


def test_every_command_works_beside_the_prepared_statements_of_others(
    pooler: str, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_command_once(pooler, tmp_path / "may.csv")
    for way in ("release", "refund"):
        # Of what is run again and again psycopg prepares the sixth.
        project = pledged_project(database, way, 8)
        run = ("project", way, project, "--batch-size", 1, "--yes")
        completed = pgwallet_here(*run, database_url=pooler)
        assert completed.returncode == 0, completed.stderr
    many = tmp_path / "june.csv"
    many.write_text(f"kind,owner_id,amount,reference\ndeposit,zoe,900,\n{_pledges(database)}")
    monkeypatch.setattr(demo, "BACKERS", 80)
    monkeypatch.setattr(demo, "BATCH_SIZE", 10)
    for command in (
        ("import", many, "--create-wallets"),
        ("grant", "app", "nobody here"),
        ("demo", "--database-url", pooler, "--yes"),
    ):
        completed = pgwallet_here(*command, database_url=pooler)
        assert "prepared statement" not in completed.stderr
        assert completed.returncode == (1 if command[0] == "grant" else 0), completed.stderr
    psql = pgwallet_command("psql", "--command", "select 42", database_url=pooler)
    assert (psql.returncode, "42" in psql.stdout) == (0, True), psql.stderr


def _pledges(database: str) -> str:
    """Lines of pledges, each to another project: so an import makes a call for each."""
    references = [f"play-{number}" for number in range(8)]
    with psycopg.connect(database) as conn:
        for reference in references:
            pgwallet.create_project(conn, reference)
    return "".join(f"pledge,zoe,1,{reference}\n" for reference in references)
