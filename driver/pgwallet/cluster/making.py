"""What shards and routers are made with: a deployment's lock, scripts, roles."""

from collections.abc import Iterable

import psycopg
from psycopg import sql

from pgwallet.deployment.waiting import LOCK_DEPLOYMENT

# The functions of a schema but those that are named, with their types.
OTHERS = """
select p.oid::regprocedure::text
from pg_proc as p
where p.pronamespace = to_regnamespace(%s) and format('%%s(%%s)', p.proname, (
  select string_agg(format_type(a.type, null), ', ' order by a.n)
  from unnest(p.proargtypes::oid[]) with ordinality as a (type, n)
)) <> all (%s)
"""


def set_up(conn: psycopg.Connection, wait: float) -> None:
    """One deployment at a time, in a transaction of its own."""
    conn.execute("set local search_path = pg_catalog, pg_temp")
    conn.execute("select set_config('lock_timeout', %s, true)", [f"{round(wait * 1000)}ms"])
    conn.execute(LOCK_DEPLOYMENT)


def run(conn: psycopg.Connection, script: str) -> None:
    cursor = conn.execute(script.encode())
    while cursor.nextset():
        pass


def drop(conn: psycopg.Connection, signatures: Iterable[tuple[str]]) -> None:
    for (signature,) in [*signatures]:
        conn.execute(f"drop routine {signature}".encode())


def has_role(conn: psycopg.Connection, role: str) -> bool:
    found = conn.execute("select 1 from pg_roles where rolname = %s", [role])
    return found.fetchone() is not None


def quoted(conn: psycopg.Connection, name: str) -> str:
    return sql.Identifier(name).as_string(conn)


def said(error: Exception) -> str:
    if isinstance(error, psycopg.Error):
        return error.diag.message_primary or str(error).strip()
    return str(error)
