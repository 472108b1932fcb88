"""psql: on the same database, with what stands after the dashes."""

import subprocess
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.cli.command import COMMAND, Completed, environment, pgwallet_command


def psql_command(database_url: str, *arguments: str, stdin: str = "", **more: str) -> Completed:
    return subprocess.run(
        [*COMMAND, "psql", "--database-url", database_url, "--", "--no-psqlrc", *arguments],
        env={**environment(), **more},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_opens_the_database_and_passes_arguments_on(database: str) -> None:
    completed = psql_command(
        database,
        "--tuples-only",
        "--no-align",
        "--command",
        "select count(*) from pgwallet.settings",
    )
    assert (completed.returncode, completed.stdout, completed.stderr) == (0, "1\n", "")


def test_it_reads_a_script_and_exits_as_psql_does(database: str) -> None:
    script = "select 1 / 0;"
    completed = psql_command(database, "--set", "ON_ERROR_STOP=1", stdin=script)
    assert completed.returncode == 3
    assert "division by zero" in completed.stderr


def test_without_psql_on_the_path_it_takes_the_embedded_one(database: str, tmp_path: Path) -> None:
    completed = psql_command(database, "--version", PATH=str(tmp_path))
    assert completed.returncode == 0
    assert completed.stdout.startswith("psql (PostgreSQL) 18")


def test_a_password_reaches_psql_but_not_its_arguments(database: str) -> None:
    url = make_conninfo(database, password="se cret'")
    completed = psql_command(url, stdin='\\! ps -o args= -p $PPID; echo "$PGPASSWORD"\n')
    assert completed.returncode == 0, completed.stderr
    arguments, password = completed.stdout.splitlines()
    assert "--no-psqlrc" in arguments
    assert "cret" not in arguments
    assert password == "se cret'"


def test_without_a_url_the_first_word_is_the_database_as_psql_takes_it(database: str) -> None:
    parts = conninfo_to_dict(database)
    name = str(parts.pop("dbname"))
    variables = {f"PG{key.upper()}": str(value) for key, value in parts.items()}
    completed = pgwallet_command(
        *("psql", name, "-XAtc", "select current_database()"), **variables, PGDATABASE="postgres"
    )
    assert (completed.returncode, completed.stdout, completed.stderr) == (0, f"{name}\n", "")


def test_options_that_are_not_pgwallets_own_are_psqls(database: str) -> None:
    for arguments in (("-XAtc", "select 42"), ("-X", "--tuples-only", "-A", "--command=select 42")):
        completed = pgwallet_command("psql", *arguments, database_url=database)
        assert (completed.returncode, completed.stdout, completed.stderr) == (0, "42\n", "")
