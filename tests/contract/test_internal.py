"""What begins with `_` is called by the functions of the ledger alone, and may change any time."""

import re
from pathlib import Path

import psycopg
import pytest

from tests.access.roles import login_role

pytestmark = pytest.mark.sql

ROOT = Path(__file__).parents[2]
DRIVER = ROOT / "driver" / "pgwallet"
INTERNAL = {path.stem: path for path in (ROOT / "db" / "procedures").glob("*/internal/*.sql")}
# It writes the script that the owner of a router runs.
ROUTER_SCRIPT = DRIVER / "cluster" / "code.py"
CALL = re.compile(r"\bpgwallet\.(_\w+)")


@pytest.mark.parametrize(
    "path", sorted({*DRIVER.rglob("*.py")} - {ROUTER_SCRIPT}), ids=lambda path: path.stem
)
def test_the_driver_calls_no_internal_function(path: Path) -> None:
    assert set(CALL.findall(path.read_text(encoding="utf-8"))) & INTERNAL.keys() == set()


def test_no_procedure_calls_an_internal_function(conn: psycopg.Connection) -> None:
    """They run with the rights of their caller, who is given none of them."""
    procedures = conn.execute(
        """
        select p.proname, p.prosrc
        from pg_proc as p
        where p.pronamespace = 'pgwallet'::regnamespace and p.prokind = 'p'
        """
    ).fetchall()
    assert {name for name, _ in procedures} == {"release_project", "refund_project"}
    for name, source in procedures:
        assert not CALL.search(source), name


ALWAYS = re.compile(r"\n  (?:raise exception|perform pgwallet\._refuse_)[^;]*;\nend;\n")


@pytest.mark.parametrize("path", INTERNAL.values(), ids=INTERNAL)
def test_refuse_always_raises_and_check_only_if_something_is_wrong(path: Path) -> None:
    body = re.sub(r"'[^']*'", "''", path.read_text(encoding="utf-8"))
    assert bool(ALWAYS.search(body)) == path.stem.startswith("_refuse_")
    if path.stem.startswith("_check_"):
        assert "\n  if " in body


@pytest.mark.parametrize("access", ["app", "operator", "auditor"])
def test_nobody_is_granted_an_internal_function(
    conn: psycopg.Connection, server: str, access: str
) -> None:
    with login_role(server) as role:
        conn.execute(f"select pgwallet.grant_{access}(%s)".encode(), [role])
        granted = conn.execute(
            r"""
            select p.proname
            from pg_proc as p
            cross join lateral aclexplode(p.proacl) as g
            where p.pronamespace = 'pgwallet'::regnamespace and p.proname like '\_%'
              and g.grantee <> p.proowner
            """
        ).fetchall()
        conn.rollback()
    assert granted == []
