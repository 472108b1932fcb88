"""The README is true: its roles can be made, its table names what there is."""

import re
from pathlib import Path

import psycopg

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_examples_have_twenty_lines_at_most() -> None:
    for title in ("From Python", "From SQL"):
        (code,) = re.findall(r"<!-- run -->\n```\w+\n(.*?)```", section(title), re.DOTALL)
        assert len(code.splitlines()) <= 20, title


def test_the_roles_of_the_readme_can_be_made_and_call_the_functions(database: str) -> None:
    make_owner, make_application = re.findall(
        r"^```sql\n(.*?)^```$", section("Deployment"), re.MULTILINE | re.DOTALL
    )
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


def test_the_readme_can_be_read_in_one_sitting() -> None:
    assert len(README.splitlines()) <= 200
