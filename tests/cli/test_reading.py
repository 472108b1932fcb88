"""balance and statement: what they show, and to whom."""

from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest

import pgwallet
from pgwallet.cli.rights import LEAST_ACCESS
from tests import clusters
from tests.access.roles import as_role, login_role
from tests.cli.command import json_of, pgwallet_command, pgwallet_here, pledged_project
from tests.databases import as_owner


@pytest.fixture
def role(server: str) -> Iterator[str]:
    with login_role(server) as name:
        yield name


@pytest.fixture
def wallet_id(database: str) -> int:
    """A wallet with 1,234.50 EUR that came and 4.50 EUR that left."""
    with psycopg.connect(database) as conn:
        wallet_id = pgwallet.create_wallet(conn, "ann").wallet_id
        pgwallet.deposit(conn, wallet_id, Decimal("1234.50"))
        pgwallet.withdraw(conn, wallet_id, Decimal("4.50"))
    return wallet_id


def test_balance_shows_money_with_its_currency(database: str, wallet_id: int) -> None:
    completed = pgwallet_here("balance", wallet_id, database_url=database)
    assert (completed.returncode, completed.stdout) == (0, "1,230.00 EUR\n")


def test_the_database_may_stand_before_or_after_the_command(database: str, wallet_id: int) -> None:
    elsewhere = "host=/nonexistent-pgwallet-directory"
    for arguments in (
        ("--database-url", database, "balance", wallet_id),
        ("balance", wallet_id, "--database-url", database),
        ("--database-url", elsewhere, "balance", wallet_id, "--database-url", database),
    ):
        completed = pgwallet_here(*arguments, database_url=elsewhere)
        assert (completed.returncode, completed.stdout) == (0, "1,230.00 EUR\n")


def test_statement_shows_each_posting_with_the_balance_after_it(
    database: str, wallet_id: int
) -> None:
    completed = pgwallet_here("statement", wallet_id, database_url=database)
    assert completed.returncode == 0
    first, second = (line for line in completed.stdout.splitlines() if line.startswith("│"))
    assert first.endswith("│   1,234.50 │    1,234.50 │")
    assert second.endswith("│      -4.50 │    1,230.00 │")
    assert "Amount EUR" in completed.stdout


def test_a_balance_can_be_that_of_a_time(database: str, wallet_id: int) -> None:
    rows = json_of("statement", wallet_id, database_url=database)
    for row in rows:
        held = pgwallet_here(
            "balance", wallet_id, "--at", row["created_at"], "--csv", database_url=database
        )
        assert held.stdout == f"account_id,balance,currency\n{wallet_id},{row['balance']},EUR\n"
    assert len(rows) == 2


def test_statement_goes_on_after_the_last_posting_seen(database: str, wallet_id: int) -> None:
    page = pgwallet_here("statement", wallet_id, "--limit", 1, database_url=database)
    assert "1,234.50" in page.stdout
    assert "-4.50" not in page.stdout
    after = page.stdout.split()[-1]
    page = pgwallet_here("statement", wallet_id, "--after-posting-id", after, database_url=database)
    assert "-4.50" in page.stdout
    assert "1,234.50" not in page.stdout
    assert "--after" not in page.stdout


def test_numbers_past_those_of_sql_count_as_the_largest(database: str, wallet_id: int) -> None:
    page = pgwallet_here("statement", wallet_id, "--limit", 10**30, database_url=database)
    assert (page.returncode, page.stdout.count("1,230.00")) == (0, 1)
    page = pgwallet_here(
        "statement", wallet_id, "--after-posting-id", 10**30, database_url=database
    )
    assert (page.returncode, page.stdout.count("1,230.00")) == (0, 0)


def test_statement_fits_80_columns_and_loses_no_figure(database: str, wallet_id: int) -> None:
    with psycopg.connect(database) as conn:
        pgwallet.deposit(conn, wallet_id, Decimal("999999999999999.99"))
    completed = pgwallet_command("statement", wallet_id, database_url=database, COLUMNS="80")
    assert max(map(len, completed.stdout.splitlines())) <= 80
    assert "…" not in completed.stdout
    cells = [line.split("│")[-3] for line in completed.stdout.splitlines() if line[0] == "│"]
    assert "999,999,999,999,999.99" in "".join(cell.strip() for cell in cells)


def test_colours_are_off_when_nobody_looks(database: str, wallet_id: int) -> None:
    completed = pgwallet_here("statement", wallet_id, database_url=database)
    refused = pgwallet_here("balance", 1, database_url=database)
    assert "\x1b" not in completed.stdout + refused.stderr


@pytest.mark.parametrize("command", ["balance", "statement", "project release", "project refund"])
@pytest.mark.parametrize("unknown_id", [0, 1, 2**63, 10**30])
def test_an_unknown_id_is_refused_with_message_detail_and_hint(
    database: str, command: str, unknown_id: int
) -> None:
    completed = pgwallet_here(*command.split(), unknown_id, database_url=database)
    assert (completed.returncode, completed.stdout) == (1, "")
    error, detail, hint, *_ = completed.stderr.splitlines()
    assert error.startswith("ERROR: ")
    assert detail.startswith("DETAIL: ")
    assert hint.startswith("HINT: ")


def test_a_negative_id_can_be_given_after_two_dashes(database: str) -> None:
    completed = pgwallet_here("balance", "--", -(10**30), database_url=database)
    assert completed.returncode == 1
    assert "HINT: " in completed.stderr


def test_an_auditor_sees_money_with_its_currency(role: str, database: str, wallet_id: int) -> None:
    granted = pgwallet_here("grant", "auditor", role, database_url=as_owner(database))
    assert granted.returncode == 0
    completed = pgwallet_here("balance", wallet_id, database_url=as_role(database, role))
    assert (completed.returncode, completed.stdout) == (0, "1,230.00 EUR\n")
    completed = pgwallet_here("statement", wallet_id, database_url=as_role(database, role))
    assert "Amount EUR" in completed.stdout


def test_an_application_that_reads_no_table_sees_the_amount_alone(
    role: str, database: str, wallet_id: int
) -> None:
    pgwallet_here("grant", "app", role, database_url=as_owner(database))
    completed = pgwallet_here("balance", wallet_id, database_url=as_role(database, role))
    assert (completed.returncode, completed.stdout) == (0, "1,230.00\n")
    completed = pgwallet_here("statement", wallet_id, database_url=as_role(database, role))
    assert completed.returncode == 0
    assert "1,230.00" in completed.stdout


@pytest.mark.parametrize(
    ("has", "command", "least"),
    [
        (None, ("balance", 1), "auditor"),
        (None, ("deposit", 1, 1), "app"),
        (None, ("allocate-deposit", 1, 1), "app"),
        (None, ("project", "release", 1), "operator"),
        ("app", ("events",), "auditor"),
        ("app", ("metrics",), "monitor"),
        ("monitor", ("statement", 1), "auditor"),
        ("app", ("escrow", "refund", 1), "operator"),
        ("app", ("project", "close", 1, "failed"), "operator"),
        ("auditor", ("deposit", 1, 1), "app"),
        ("auditor", ("project", "refund", 1, "--yes"), "operator"),
    ],
)
def test_a_role_without_rights_is_told_the_least_that_suffices(
    role: str, database: str, has: str | None, command: tuple[object, ...], least: str
) -> None:
    if has:
        with psycopg.connect(as_owner(database)) as conn:
            conn.execute(f"select pgwallet.grant_{has}(%s)".encode(), [role])
    completed = pgwallet_here(*command, database_url=as_role(database, role))
    assert completed.returncode == 1
    assert "ERROR: permission denied" in completed.stderr
    assert f"pgwallet grant {least} ROLE" in completed.stderr


def test_the_least_access_for_each_is_what_the_database_gives(
    role: str, conn: psycopg.Connection
) -> None:
    granted: dict[str, str] = {}
    # A later one suffices where it is given.
    for access in ("operator", "app", "auditor", "monitor"):
        conn.execute("savepoint without")
        conn.execute(f"select pgwallet.grant_{access}(%s)".encode(), [role])
        rows = conn.execute(
            """
            select p.proname::text from pg_proc as p
            where p.pronamespace = 'pgwallet'::regnamespace
              and has_function_privilege(%(role)s, p.oid, 'execute')
            union all
            select c.relname::text from pg_class as c
            where c.relnamespace = 'pgwallet'::regnamespace and c.relkind = 'v'
              and has_table_privilege(%(role)s, c.oid, 'select')
            """,
            {"role": role},
        ).fetchall()
        granted |= {name: access for (name,) in rows if name not in clusters.BESIDES}
        conn.execute("rollback to without")
    assert granted == LEAST_ACCESS


def test_who_is_not_the_owner_cannot_give_rights(role: str, database: str) -> None:
    completed = pgwallet_here("grant", "operator", role, database_url=as_role(database, role))
    assert (completed.returncode, completed.stdout) == (1, "")
    assert "Only the owner of the schema pgwallet" in completed.stderr


def test_a_database_without_pgwallet_is_named_as_such(empty_database: str) -> None:
    completed = pgwallet_here("balance", 1, database_url=empty_database)
    assert completed.returncode == 1
    assert "Install it with: pgwallet migrate" in completed.stderr


def test_an_auditor_cannot_release(role: str, database: str) -> None:
    project = pledged_project(database, "film", 2)
    pgwallet_here("grant", "auditor", role, database_url=as_owner(database))
    completed = pgwallet_here(
        "project", "release", project, "--yes", database_url=as_role(database, role)
    )
    assert completed.returncode == 1
    assert "pgwallet grant operator" in completed.stderr
