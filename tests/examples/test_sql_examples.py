"""The SQL examples print, in psql and to the letter, what the .out file beside each says.

With PGWALLET_WRITE_OUTPUTS=1 the files are written anew instead; read the difference, then commit.
"""

import os
import subprocess
from pathlib import Path

import psycopg
import pytest

import pgwallet
from tests.deployment.programs import client

pytestmark = pytest.mark.sql

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.sql"))


def run(command: str, conninfo: str) -> str:
    """What the command in an example's first lines prints, errors in their place among the rest."""
    program, *arguments = command.split()
    environment = {name: value for name, value in os.environ.items() if name[:2] != "PG"}
    completed = subprocess.run(
        [client(program), *arguments, "--dbname", conninfo],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout
    # psql pads its lines and ends with an empty one, which no editor would keep.
    return "\n".join(line.rstrip() for line in completed.stdout.splitlines()).strip() + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_an_example_prints_its_output(database: str, name: str) -> None:
    command = f"psql -X -f examples/{name}.sql"
    assert f"\n--   {command}\n" in (EXAMPLES / f"{name}.sql").read_text("utf-8")
    output = EXAMPLES / f"{name}.out"

    printed = run(command, database)
    if os.environ.get("PGWALLET_WRITE_OUTPUTS") == "1":
        output.write_text(printed, "utf-8")

    assert printed == output.read_text("utf-8")
    with psycopg.connect(database) as conn:
        assert pgwallet.check_ledger(conn) == []


def test_each_output_has_its_example() -> None:
    assert sorted(path.stem for path in EXAMPLES.glob("*.out")) == NAMES
    assert NAMES
