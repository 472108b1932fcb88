"""Writes down what a new installation has: schema.sql for people, schema.json for `status`."""

import json
import re
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

import psycopg

import pgwallet
from pgwallet import embedded
from pgwallet.deployment.describing import describe, set_up

HEADER = """\
-- The tables of a new installation, to read and to compare: what a migration changes shows here.
--
-- Printed by `make schema` on PostgreSQL 18, never by hand and never run. The migrations make it;
-- their comments say why. Functions are in db/procedures.
"""

# How pg_dump begins what it has to say of one thing.
TITLE = re.compile(r"^--\n-- Name: (?P<name>.*?); Type: (?P<type>[A-Z ]+); .*\n--\n", re.MULTILINE)
LEFT_OUT = ("FUNCTION", "PROCEDURE")


def schema(dump: str) -> str:
    parts = [HEADER]
    _, *pieces = TITLE.split(dump)
    things = zip(pieces[0::3], pieces[1::3], pieces[2::3], strict=True)
    kept = [
        (kind, text.split("\n--\n-- PostgreSQL database dump")[0])
        for name, kind, text in things
        if kind not in LEFT_OUT and not name.startswith(LEFT_OUT)
    ]
    for kind, texts in groupby(kept, key=lambda each: each[0]):
        gap = "\n" if kind in ("COMMENT", "DEFAULT", "SEQUENCE OWNED BY") else "\n\n"
        parts.append(gap.join(re.sub(r"\n{2,}", "\n", text.strip()) for _, text in texts) + "\n")
    return "\n".join(parts)


def as_json(description: dict[str, Any]) -> str:
    """A line for each thing, so that a change of one shows as one."""
    kinds = []
    for kind, things in description.items():
        lines = ",\n".join(
            f"    {json.dumps(name)}: {json.dumps(properties)}"
            for name, properties in things.items()
        )
        kinds.append(f"  {json.dumps(kind)}: {{\n{lines}\n  }}" if things else f'  "{kind}": {{}}')
    return "{\n" + ",\n".join(kinds) + "\n}\n"


def main(directory: Path) -> None:
    with embedded.start() as server:
        pgwallet.migrate(server.conninfo)
        with psycopg.connect(server.conninfo) as conn:
            set_up(conn)
            described = as_json(describe(conn))
        dump = subprocess.check_output(
            [
                *(server.bin_path / "pg_dump", "--schema-only", "--no-owner", "--no-privileges"),
                *("--schema=pgwallet", "--exclude-table=pgwallet.*yoyo*"),
                f"--dbname={server.conninfo}",
            ],
            text=True,
        )
    # A setting of pg_dump's, which it repeats between tables, and a key of its own for each dump.
    lines = [line for line in dump.splitlines() if not line.startswith(("SET ", "\\"))]
    (directory / "schema.sql").write_text(schema("\n".join(lines)), encoding="utf-8")
    (directory / "schema.json").write_text(described, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
