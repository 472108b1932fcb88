"""The README is true: its examples print what it says, its tables name what there is."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg

from pgwallet.errors import BY_SQLSTATE
from tests.deployment.programs import psql

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(title: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", section(title), re.MULTILINE | re.DOTALL)


def without_margin(text: str) -> str:
    """psql pads its lines, which no editor would keep."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def test_the_demo_prints_what_the_readme_shows() -> None:
    shown = re.search(r"^```text\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert shown is not None
    environment = {k: v for k, v in os.environ.items() if k != "PGWALLET_DATABASE_URL"}
    completed = subprocess.run(
        [sys.executable, "-c", "from pgwallet.cli import main; main()", "demo"],
        env={**environment, "COLUMNS": "96"},
        capture_output=True,
        text=True,
        check=False,
    )

    rest = completed.stdout
    for part in re.split(r"^\.\.\.\n", shown[1], flags=re.MULTILINE):
        before, found, rest = rest.partition(part)
        assert found, f"{part}\nis not, in this order, in\n{before}"
    assert completed.returncode == 0, completed.stderr


def test_the_python_example_prints_what_the_readme_says(tmp_path: Path) -> None:
    (code,) = blocks("From Python", "python")
    (printed,) = blocks("From Python", "text")
    completed = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert completed.stdout == printed
    assert completed.returncode == 0, completed.stderr


def test_the_sql_example_prints_what_the_readme_says(database: str) -> None:
    (script,) = blocks("From SQL", "sql")
    (printed,) = blocks("From SQL", "text")
    completed = psql(database, script, "ON_ERROR_STOP=1")

    assert without_margin(completed.stdout) == without_margin(printed)
    assert completed.returncode == 0


def test_the_roles_of_the_readme_can_be_made_and_call_the_functions(database: str) -> None:
    make_owner, make_application = blocks("Deployment", "sql")
    with psycopg.connect(database) as conn:
        here = make_owner.replace("database app", f"database {conn.info.dbname}")
        assert here != make_owner
        conn.execute(here.encode())
        conn.execute(make_application.encode())
        conn.execute("set local role shop")
        row = conn.execute("select owner_id from pgwallet.create_wallet('ada')").fetchone()
        conn.rollback()  # a role belongs to the server, not to this database

    assert row == ("ada",)


def test_the_table_of_functions_names_each_one_that_is_public(conn: psycopg.Connection) -> None:
    rows = conn.execute(
        r"""
        select distinct p.proname
        from pg_proc as p
        where p.pronamespace = 'pgwallet'::regnamespace and p.proname not like '\_%'
        """
    )
    first_cells = re.findall(r"^\| (`.*?) \|", section("Functions"), re.MULTILINE)
    named = [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)]

    assert sorted(named) == sorted(name for (name,) in rows)


def test_the_table_of_errors_is_the_drivers() -> None:
    rows = re.findall(r"^\| (PW\d+) \| `(\w+)` \|", section("Errors"), re.MULTILINE)

    assert dict(rows) == {code: error.__name__ for code, error in BY_SQLSTATE.items()}
    assert len(rows) == len(BY_SQLSTATE)
