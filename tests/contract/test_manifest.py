"""db/README.md and db/cluster/README.md list every file of SQL once, in the words of the file."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

DB = Path(__file__).parents[2] / "db"
MANIFEST = "".join(
    page.read_text(encoding="utf-8") for page in (DB / "README.md", DB / "cluster" / "README.md")
)

pytestmark = pytest.mark.sql


def entries() -> Iterator[tuple[Path, str]]:
    """What each line of a table names and says; a heading names the folder."""
    for section in MANIFEST.split("\n### ")[1:]:
        (folder,) = re.findall(r"`([\w/]+)/`", section.splitlines()[0])
        for name, text in re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE):
            yield DB / folder / f"{name}.sql", text


LINES = list(entries())


def first_sentence(text: str) -> str:
    return re.split(r"(?<=\.)\s", text, maxsplit=1)[0]


def header_of(path: Path) -> str:
    """The first sentence of the lines of comment that a file opens with."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("-- "):
            break
        lines.append(line.removeprefix("-- "))
    return first_sentence(" ".join(lines))


def test_every_function_and_migration_has_one_line() -> None:
    files = {path for path in DB.glob("*/**/*.sql") if not path.name.endswith(".rollback.sql")}
    assert len(files) > 80
    assert sorted(path for path, _ in LINES) == sorted(files)


def test_migrations_come_in_their_order() -> None:
    names = [path.name for path, _ in LINES if path.parent.name == "migrations"]
    assert names == sorted(names)


def test_a_public_function_s_line_is_what_its_comment_says(conn: psycopg.Connection) -> None:
    comments: dict[str, str] = dict(
        conn.execute(
            r"""
            select p.proname, obj_description(p.oid, 'pg_proc')
            from pg_proc as p
            where p.pronamespace = 'pgwallet'::regnamespace and p.proname not like '\_%'
            """
        ).fetchall()
    )
    told = {path.stem: text for path, text in LINES if path.parent.parent.name == "procedures"}
    assert told == {name: first_sentence(comment) for name, comment in comments.items()}


@pytest.mark.parametrize(
    ("path", "text"),
    [line for line in LINES if line[0].parent.parent.name != "procedures"],
    ids=lambda value: value.stem if isinstance(value, Path) else "",
)
def test_any_other_line_is_what_its_file_opens_with(path: Path, text: str) -> None:
    assert text == header_of(path)
