"""db/schema.sql and .json show what the migrations and functions make."""

import json
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from pgwallet.deployment.describing import describe, set_up

DB = Path(__file__).parents[2] / "db"


def test_the_committed_schema_is_what_a_new_installation_has(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, DB / "generate_schema.py", tmp_path], stderr=subprocess.PIPE, check=True
    )
    for name in ("schema.sql", "schema.json"):
        written = (tmp_path / name).read_text(encoding="utf-8")
        assert written == (DB / name).read_text(encoding="utf-8"), "run make schema"
    tables = (DB / "schema.sql").read_text(encoding="utf-8")
    assert "FUNCTION pgwallet." not in tables.replace("EXECUTE FUNCTION", "")


@pytest.mark.sql
def test_each_server_describes_a_new_installation_in_the_same_words(
    conn: psycopg.Connection,
) -> None:
    set_up(conn)
    committed = json.loads((DB / "schema.json").read_text(encoding="utf-8"))
    for kind, things in describe(conn).items():
        assert things == committed[kind], f"{kind}: run make schema"
