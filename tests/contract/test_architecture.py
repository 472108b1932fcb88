"""docs/architecture.md names the folders and tables that there are, and no others."""

import re
from pathlib import Path

import psycopg

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def rows(title: str) -> list[list[str]]:
    """For each row of the section's table, its cells."""
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| (`.*) \|$", section, re.MULTILINE)
    return [line.split(" | ") for line in lines]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def folders(below: Path) -> set[str]:
    """The folders with files of ours, what is hidden, built or cached aside."""
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text().split()}
    return {
        path.name
        for path in below.iterdir()
        if path.is_dir() and not path.name.startswith(".") and path.name not in ignored
    }


def test_the_map_names_every_folder_at_the_top() -> None:
    named = {name.split("/")[0] for row in rows("The map") for name in quoted(row[0])}
    assert named == folders(ROOT) | {".ci", ".github"}


def test_every_folder_of_tests_is_described() -> None:
    named = [name for row in rows("The tests") for name in quoted(row[0])]
    assert sorted(named) == sorted(f"tests/{name}/" for name in folders(ROOT / "tests"))


def test_the_tables_and_their_keys_are_those_of_the_database(conn: psycopg.Connection) -> None:
    keys = conn.execute(
        r"""
        select c.relname, array(
          select a.attname::text
          from pg_index as i
          cross join unnest(i.indkey) with ordinality as k (number, place)
          join pg_attribute as a on a.attrelid = c.oid and a.attnum = k.number
          where i.indrelid = c.oid and i.indisprimary
          order by k.place
        )
        from pg_class as c
        where c.relnamespace = 'pgwallet'::regnamespace and c.relkind = 'r'
          and c.relname !~ '^_?yoyo'
        """
    ).fetchall()
    described = {quoted(row[0])[0]: quoted(row[1]) for row in rows("Tables")}
    assert described == dict(keys)
