"""docs/how-to/roles.md says who may call what, as the database has it."""

import re
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.catalogue.access import ACCESSES

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "roles.md").read_text(encoding="utf-8")
ROWS = re.findall(
    r"^\| (`.*?`) \| (yes|) ?\| (yes|) ?\| (yes|) ?\| (yes|) ?\|$", PAGE, re.MULTILINE
)


@pytest.mark.parametrize("access", ACCESSES)
def test_the_page_says_what_an_access_may_call(conn: psycopg.Connection, access: str) -> None:
    role = f"page_{access}"  # rolled back with the test
    conn.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
    conn.execute(f"select pgwallet.grant_{access}(%s)".encode(), [role])
    rows = conn.execute(
        r"""
        select p.proname, has_function_privilege(%s, p.oid, 'execute')
        from pg_proc as p
        where p.pronamespace = 'pgwallet'::regnamespace and p.proname not like '\_%%'
        """,
        [role],
    ).fetchall()
    said = {
        name: cells[ACCESSES.index(access)] == "yes"
        for names, *cells in ROWS
        for name in re.findall(r"`(\w+)`", names)
    }
    assert said == dict(rows)
