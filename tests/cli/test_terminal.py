"""At a terminal: questions before what is final, colours, and 80 columns."""

import re

import psycopg
import pytest

import pgwallet
from tests.cli.command import at_terminal, pgwallet_here, pledged_project, settled_escrows

COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9]")


def status_of(conninfo: str, project_id: int) -> str:
    with psycopg.connect(conninfo) as conn:
        row = conn.execute(
            "select status::text from pgwallet.project where project_id = %s", [project_id]
        ).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("way", ["release", "refund"])
def test_settling_a_project_is_asked_for_and_no_changes_nothing(database: str, way: str) -> None:
    project = pledged_project(database, "film", 3)
    code, shown = at_terminal("project", way, project, database_url=database, answer="n")
    assert code == 1
    shown = " ".join(shown.split())
    assert f"Project {project} 'film' has 3 locked escrows, 30.00 EUR. Close it as " in shown
    assert (status_of(database, project), settled_escrows(database, project)) == ("open", 0)

    code, _ = at_terminal("project", way, project, database_url=database, answer="y")
    assert code == 0
    assert settled_escrows(database, project) == 3


def test_closing_a_project_is_asked_for(database: str) -> None:
    project = pledged_project(database, "film", 1)
    arguments = ("project", "close", project, "failed")
    code, shown = at_terminal(*arguments, database_url=database, answer="")
    assert code == 1
    assert f"Project {project} 'film' has 1 locked escrow, 10.00 EUR." in " ".join(shown.split())
    assert status_of(database, project) == "open"
    assert at_terminal(*arguments, database_url=database, answer="y")[0] == 0
    assert status_of(database, project) == "failed"


def test_yes_skips_the_question(database: str) -> None:
    project = pledged_project(database, "film", 1)
    code, shown = at_terminal("project", "release", project, "--yes", database_url=database)
    assert code == 0
    assert "[y/N]" not in shown
    assert settled_escrows(database, project) == 1


@pytest.mark.parametrize("way", ["close", "release", "refund"])
def test_a_script_has_to_say_yes(database: str, way: str) -> None:
    project = pledged_project(database, "film", 1)
    arguments = ("project", way, project, *(["failed"] if way == "close" else []))
    completed = pgwallet_here(*arguments, database_url=database)
    assert (completed.returncode, completed.stdout) == (2, "")
    assert "'film' has 1 locked escrow, 10.00 EUR" in completed.stderr
    assert "--yes" in completed.stderr
    assert status_of(database, project) == "open"
    assert pgwallet_here(*arguments, "--yes", database_url=database).returncode == 0
    assert status_of(database, project) == ("succeeded" if way == "release" else "failed")


def test_what_expired_is_not_at_stake_in_a_release(database: str) -> None:
    project = pledged_project(database, "film", 3)
    with psycopg.connect(database) as conn:
        conn.execute(
            """
            update pgwallet.escrow as e set expires_at = e.created_at
            where e.escrow_id = (select min(o.escrow_id) from pgwallet.escrow as o)
            """
        )
    asked = pgwallet_here("project", "release", project, database_url=database)
    assert "has 2 locked escrows, 20.00 EUR, and 1 that expired, 10.00 EUR." in asked.stderr
    asked = pgwallet_here("project", "refund", project, database_url=database)
    assert "has 3 locked escrows, 30.00 EUR." in asked.stderr
    done = pgwallet_here("project", "release", project, "--yes", database_url=database)
    assert done.returncode == 0
    assert "2/2 escrows" in done.stderr
    assert settled_escrows(database, project) == 2


def test_errors_are_coloured_unless_no_color_is_set(database: str) -> None:
    code, shown = at_terminal("balance", 1, database_url=database)
    assert code == 1
    assert COLOUR.search(shown)
    code, shown = at_terminal("balance", 1, database_url=database, NO_COLOR="1")
    assert code == 1
    assert "ERROR: account 1 does not exist" in shown
    assert not COLOUR.search(shown)


def test_a_statement_fits_the_terminal_with_times_and_amounts_whole(database: str) -> None:
    with psycopg.connect(database) as conn:
        wallet = pgwallet.create_wallet(conn, "ann").wallet_id
        for _ in range(3):
            pgwallet.deposit(conn, wallet, 1234567)
    code, shown = at_terminal("statement", wallet, database_url=database, NO_COLOR="1")
    assert code == 0
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in shown.splitlines()]
    assert max(map(len, lines)) <= 80
    rows = [line for line in lines if line.startswith("│")]
    assert len(rows) == 3
    assert all(re.search(r"│ \d{4}-\d\d-\d\d \d\d:\d\d │", row) for row in rows)
    assert rows[-1].endswith("│ 1,234,567.00 │ 3,703,701.00 │")


def test_words_give_way_before_a_number_is_folded(database: str) -> None:
    with psycopg.connect(database) as conn:
        wallet = pgwallet.create_wallet(conn, "ann").wallet_id
        pgwallet.deposit(conn, wallet, 3_000_000)
        pocket = pgwallet.create_pocket(conn, wallet, "rent", 50).pocket_id
        pgwallet.transfer_to_pocket(conn, pocket, 1_000_000)
        pgwallet.transfer_from_pocket(conn, pocket, 100)
    code, shown = at_terminal("statement", wallet, database_url=database, NO_COLOR="1")
    assert code == 0
    assert max(map(len, re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines())) <= 80
    for whole in ("-1,000,000.00", "2,000,000.00", "2,000,100.00", "Balance EUR", " from pocket "):
        assert whole in shown
