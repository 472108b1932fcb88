"""The demo, and that the SQL it prints does the same in psql."""

import psycopg
from psycopg.conninfo import make_conninfo

import pgwallet
from tests import databases
from tests.cli.command import pgwallet_command, shown
from tests.deployment.programs import psql


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


def test_the_demo_needs_no_database_and_less_than_a_minute() -> None:
    completed = pgwallet_command("demo", COLUMNS="80")  # which gives it a minute
    assert (completed.returncode, completed.stdout.count("found nothing")) == (0, 1)
    # Not owned by a superuser, so nothing to warn of: only the progress bar.
    (bar,) = completed.stderr.splitlines()
    assert "10,000/10,000 escrows" in bar
    assert shown(completed.stdout, "(stays in the wallet)") == "82.30 EUR"
    assert shown(completed.stdout, "Pledged by the backers") == "522,962.50 EUR"
    assert max(map(len, completed.stdout.splitlines())) <= 80


def test_the_printed_sql_does_the_same_in_psql(server: str, database: str, template: str) -> None:
    completed = pgwallet_command("demo", database_url=database)
    assert completed.returncode == 0, completed.stderr
    with databases.created(server, template) as name:
        repeated = make_conninfo(server, dbname=name)
        run = psql(repeated, printed_sql(completed.stdout), "ON_ERROR_STOP=1")
        assert run.returncode == 0, run.stderr
        assert balances(repeated) == balances(database)


def test_an_empty_database_gets_pgwallet_and_each_run_starts_anew(empty_database: str) -> None:
    url = databases.as_owner(empty_database)
    for _ in range(2):
        completed = pgwallet_command("demo", database_url=url)
        assert completed.returncode == 0, completed.stderr
        assert shown(completed.stdout, "Pledged by the backers") == "522,962.50 EUR"
    assert "pgwallet migrate" not in completed.stdout
