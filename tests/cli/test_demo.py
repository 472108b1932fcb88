"""The demo, that the SQL it prints does the same in psql, and where it may write."""

import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import pgwallet
from pgwallet.cli import demo
from tests import databases, starting
from tests.access.roles import as_role, login_role
from tests.cli.command import PATIENCE, at_terminal, environment, pgwallet_here, shown
from tests.deployment.programs import psql
from tests.effort import effort
from tests.ledger.calling import everything

ROOT = Path(__file__).parents[2]


@pytest.fixture
def role(server: str) -> Iterator[str]:
    with login_role(server) as name:
        yield name


# What the command does, with as many backers as a run has time for.
BACKERS = effort("PGWALLET_DEMO_BACKERS", part=600, full=demo.BACKERS)
PLEDGED = sum(5 + Decimal(k * 7919 % 9501) / 100 for k in range(1, BACKERS + 1))
PROGRAM = f"from pgwallet.cli import demo, main; demo.BACKERS = {BACKERS}; main()"


@pytest.fixture
def few_backers(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what does not depend on their number."""
    monkeypatch.setattr(demo, "BACKERS", 600)


def printed_sql(output: str) -> str:
    """The indented lines: statements and, as comments, what came of them."""
    lines = [line for line in output.splitlines() if line.startswith("  ")]
    return "\n".join(line for line in lines if not line.startswith("  $ "))


def balances(conninfo: str) -> list[tuple[object, ...]]:
    with psycopg.connect(conninfo) as conn:
        assert pgwallet.check_ledger(conn) == []
        return conn.execute(
            "select a.account_id, a.kind::text, pgwallet.balance(a.account_id) "
            "from pgwallet.account as a order by a.account_id"
        ).fetchall()


def contents(conninfo: str) -> object:
    with psycopg.connect(conninfo) as conn:
        return everything(conn)


def test_the_demo_writes_to_no_database_that_its_command_line_does_not_name(database: str) -> None:
    before = contents(database)
    # With PGHOSTADDR libpq would go to that server, wherever the host says the demo's own is.
    elsewhere = {"PGHOSTADDR": "127.0.0.1", "PGDATABASE": "shop", "COLUMNS": "80"}
    completed = subprocess.run(
        [*starting.python(), "-c", PROGRAM, "demo"],
        env={**environment(database), **elsewhere},
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    assert (completed.returncode, completed.stdout.count("found nothing")) == (0, 1), completed
    assert contents(database) == before
    # Not owned by a superuser, so nothing to warn of: only the progress bar.
    (bar,) = completed.stderr.splitlines()
    assert f"{BACKERS:,}/{BACKERS:,} escrows" in bar
    assert shown(completed.stdout, "(stays in the wallet)") == "82.30 EUR"
    assert shown(completed.stdout, "Pledged by the backers") == f"{PLEDGED:,.2f} EUR"
    assert max(map(len, completed.stdout.splitlines())) <= 80


def test_make_demo_names_no_database() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\ndemo:")[2].split("\n\n")[0]
    assert recipe.splitlines()[1:] == ["\t@$(bin)/pgwallet demo"]


def test_the_printed_sql_does_the_same_in_psql(
    server: str, database: str, template: str, few_backers: None
) -> None:
    completed = pgwallet_here("demo", "--database-url", database)
    assert completed.returncode == 0, completed.stderr
    with databases.created(server, template) as name:
        repeated = make_conninfo(server, dbname=name)
        run = psql(repeated, printed_sql(completed.stdout), "ON_ERROR_STOP=1")
        assert run.returncode == 0, run.stderr
        assert balances(repeated) == balances(database)


def test_an_empty_database_gets_pgwallet_and_a_second_run_is_asked_for(
    empty_database: str, few_backers: None
) -> None:
    url = databases.as_owner(empty_database)
    first = pgwallet_here("demo", "--database-url", url)
    assert (first.returncode, first.stdout.count("$ pgwallet migrate")) == (0, 1)
    before = balances(url)
    refused = pgwallet_here("--database-url", url, "demo")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--yes" in refused.stderr
    assert balances(url) == before
    again = pgwallet_here("--database-url", url, "demo", "--yes")
    assert again.returncode == 0, again.stderr
    pledged = "Pledged by the backers"
    assert shown(again.stdout, pledged) == shown(first.stdout, pledged)
    assert "pgwallet migrate" not in again.stdout


def test_one_wallet_or_project_is_enough_to_ask(database: str) -> None:
    with psycopg.connect(database) as conn:
        pgwallet.create_project(conn, "film")
    before = contents(database)
    code, shown = at_terminal("demo", "--database-url", database, database_url=database, answer="n")
    assert code == 1
    assert "10,001 wallets" in shown
    assert contents(database) == before


@pytest.mark.parametrize("access", ["app", "auditor"])
def test_a_role_that_could_not_finish_it_does_not_begin(
    role: str, database: str, access: str
) -> None:
    with psycopg.connect(databases.as_owner(database)) as conn:
        conn.execute(f"select pgwallet.grant_{access}(%s)", [role])
    before = contents(database)
    completed = pgwallet_here("demo", "--yes", "--database-url", as_role(database, role))
    assert (completed.returncode, completed.stdout) == (1, "")
    assert "pgwallet grant operator" in completed.stderr
    assert contents(database) == before


def test_tables_of_others_are_something_too(empty_database: str) -> None:
    with psycopg.connect(empty_database) as conn:
        conn.execute("create schema shop create table orders (order_id bigint)")
    refused = pgwallet_here("demo", "--database-url", databases.as_owner(empty_database))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "shop.orders" in refused.stderr
    with psycopg.connect(empty_database) as conn:
        assert conn.execute("select to_regnamespace('pgwallet')").fetchone() == (None,)
