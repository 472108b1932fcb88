"""Makes a database a router: its functions and views, and the way from there to the shards."""

import re
import time

import psycopg
from psycopg import sql

from pgwallet import deployment
from pgwallet.deployment.code import read_code
from pgwallet.deployment.connecting import connect

from .code import remote_calls, router_functions, router_tables
from .comparing import compare
from .file import ClusterFile, Shard
from .functions import Function
from .making import drop, has_role, run, said, set_up
from .members import Identity, kind_of, place_of, version_of
from .views import CHANGING, point_views, read_views, write_views

ROUTER_SCHEMAS = ("pgwallet", "pgwallet_router", "pgwallet_remote")

# Written before this transaction.
_OLD = """
select p.oid::regprocedure::text
from pg_proc as p
where p.pronamespace = 'pgwallet_remote'::regnamespace and age(p.xmin) > 0
"""

# Whoever is in a call that began before.
_UNDER_WAY = """
select 1
from pg_stat_activity as a
where a.datname = current_database() and a.state = 'active' and a.xact_start < %s
limit 1
"""
_PATIENCE = 5.0  # seconds

_DROP_FIRST = re.compile(r"DROP (FUNCTION|PROCEDURE) .*(?= first)")

_IDENTITY_BY_ROUTER = """
select i.cluster, i.shard, i.shard_count, i.moved_at is not null, i.place, i.error
from pgwallet_remote.show_identity(%s) as i
"""


def make_router(
    cluster: ClusterFile,
    conninfo: str,
    functions: list[Function],
    *,
    has_adopted: bool,
    wait: float,
) -> bool:
    """Whether there was something to write."""
    remote = remote_calls(functions)
    local = router_functions(functions, cluster, read_code().version, has_adopted)
    with connect(conninfo) as conn, conn.transaction():
        set_up(conn, wait)
        owner = sql.Identifier(cluster.owner)
        if not has_role(conn, cluster.owner):
            conn.execute(sql.SQL("create role {} nologin").format(owner))
        conn.execute("create extension if not exists plproxy")
        conn.execute("create extension if not exists postgres_fdw")
        for schema in ROUTER_SCHEMAS:
            conn.execute(
                sql.SQL("create schema if not exists {} authorization {}").format(
                    sql.Identifier(schema), owner
                )
            )
        point_to_shards(conn, cluster)
        is_new = not kind_of(conn).is_router or version_of(conn) != read_code().version
        written = is_new or bool([*compare(conn, remote + local, ROUTER_SCHEMAS)])
        old = _write_router(conn, cluster, remote, local) if written else []
        check_reach(conn, cluster)
    if old:
        _forget(conninfo, old)
    return written


def _forget(conninfo: str, signatures: list[tuple[str]]) -> None:
    """Once the calls have ended that began with the functions of before, and may be about to make
    use of these.
    """
    with connect(conninfo) as conn:
        (now,) = conn.execute("select clock_timestamp()").fetchone() or (None,)
        deadline = time.monotonic() + _PATIENCE
        while conn.execute(_UNDER_WAY, [now]).fetchone() and time.monotonic() < deadline:
            time.sleep(0.02)
        with conn.transaction():
            drop(conn, signatures)


def _write_router(
    conn: psycopg.Connection, cluster: ClusterFile, remote: str, local: str
) -> list[tuple[str]]:
    """Returns what PL/Proxy has of before, and nobody who begins now will call."""
    conn.execute("set local lc_messages = 'C'")
    while True:
        try:
            with conn.transaction():
                return _write_functions(conn, cluster, remote, local)
        except psycopg.errors.InvalidFunctionDefinition as error:
            # Another result, for which `create or replace` is no way; the hint names the function.
            dropped = _DROP_FIRST.search(error.diag.message_hint or "")
            if dropped is None:
                raise
            conn.execute(dropped[0].encode())


def _write_functions(
    conn: psycopg.Connection, cluster: ClusterFile, remote: str, local: str
) -> list[tuple[str]]:
    with connect(cluster.shards[0].conninfo) as shard:
        views = read_views(shard)
    run(conn, remote)
    old = conn.execute(_OLD).fetchall()
    _hand_over(conn, cluster.owner)
    conn.execute(sql.SQL("set local role {}").format(sql.Identifier(cluster.owner)))
    run(conn, router_tables())
    # Before the functions, whose installation ends with the grants.
    write_views(conn, cluster, views)
    run(conn, local)
    run(conn, CHANGING)
    conn.execute("revoke all on all functions in schema pgwallet_router from public")
    conn.execute("set local role none")
    return old


def check_reach(conn: psycopg.Connection, cluster: ClusterFile) -> None:
    """Refuses a router that does not reach each shard, as its functions will."""
    for shard in cluster.shards:
        problem = reach(conn, cluster, shard)
        if problem:
            raise deployment.DeploymentError(f"it does not reach shard {shard.number}: {problem}")


def reach(conn: psycopg.Connection, cluster: ClusterFile, shard: Shard) -> str:
    """What keeps a router from a shard; nothing where it reaches the right one."""
    try:
        with conn.transaction(force_rollback=True):
            conn.execute(sql.SQL("set local role {}").format(sql.Identifier(cluster.owner)))
            row = conn.execute(_IDENTITY_BY_ROUTER, [shard.number]).fetchone()
    except psycopg.Error as error:
        return said(error)
    if row is None:
        return "the database there is no shard"
    *identity, place, refusal = row
    if refusal is not None:
        return str(refusal[1])
    found = Identity(*identity)
    if found != Identity(cluster.name, shard.number, len(cluster.shards)):
        return f"the database there is {found}"
    try:
        with connect(shard.conninfo) as direct:
            is_same = place_of(direct) == place
    except psycopg.OperationalError:
        return ""
    return "" if is_same else "through leads it to another database than conninfo leads to"


def check_router(conn: psycopg.Connection) -> None:
    row = conn.execute(
        "select r.rolsuper, r.rolname, "
        "exists (select from pg_available_extensions where name = 'plproxy') "
        "from pg_roles as r where r.rolname = current_user"
    ).fetchone()
    assert row is not None
    is_superuser, role, has_plproxy = row
    if not is_superuser:
        raise deployment.DeploymentError(
            f"role {role} is no superuser: PL/Proxy is an untrusted language, so only one can "
            "write a router's functions; they belong to another role in the end"
        )
    if not has_plproxy:
        raise deployment.DeploymentError(
            "this server has no PL/Proxy; on Debian: apt-get install postgresql-15-plproxy"
        )


def point_to_shards(conn: psycopg.Connection, cluster: ClusterFile) -> None:
    """Tells PL/Proxy, and postgres_fdw for the views, where the shards are, without passwords."""
    point_views(conn, cluster)
    owner = sql.Identifier(cluster.owner)
    options = {f"p{shard.number}": shard.through for shard in cluster.shards}
    found = conn.execute(
        "select coalesce(srvoptions, '{}') from pg_foreign_server where srvname = 'pgwallet'"
    ).fetchone()
    if found is None:
        conn.execute(
            sql.SQL("create server pgwallet foreign data wrapper plproxy options ({})").format(
                _options("", options)
            )
        )
        conn.execute(sql.SQL("grant usage on foreign server pgwallet to {}").format(owner))
        conn.execute(
            sql.SQL("create user mapping for {} server pgwallet options (user {})").format(
                owner, cluster.role
            )
        )
        return
    known = dict(option.split("=", 1) for option in found[0])
    changed = {key: value for key, value in options.items() if known.get(key) != value}
    if changed:
        conn.execute(sql.SQL("alter server pgwallet options ({})").format(_options("set", changed)))


def _options(verb: str, options: dict[str, str]) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL(verb + " {} {}").format(sql.Identifier(key), value)
        for key, value in options.items()
    )


def _hand_over(conn: psycopg.Connection, owner: str) -> None:
    for (function,) in conn.execute(
        "select oid::regprocedure::text from pg_proc "
        "where pronamespace = 'pgwallet_remote'::regnamespace"
    ).fetchall():
        conn.execute(
            sql.SQL("alter function {} owner to {}").format(
                sql.SQL(function), sql.Identifier(owner)
            )
        )
    conn.execute("revoke all on all functions in schema pgwallet_remote from public")
