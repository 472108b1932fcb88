"""Makes a cluster of databases: marks the shards, then writes the routers."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from pgwallet import deployment
from pgwallet.deployment.code import read_code
from pgwallet.deployment.connecting import connect

from .code import remote_calls, router_functions, router_tables, shard_calls, shard_tables
from .file import ClusterFile, Shard
from .functions import Function, read_functions

logger = logging.getLogger("pgwallet")

# A call that waits on a shard is not to wait longer than who asked, nor for a router that is gone.
_LIMITS = {"lock_timeout": "30s", "client_connection_check_interval": "1s"}


@dataclass(frozen=True, slots=True)
class ClusterReport:
    """What one `init` or `migrate` of a cluster did."""

    shards: tuple[deployment.MigrationReport, ...]


def init(cluster: ClusterFile) -> ClusterReport:
    """Makes the databases of the file a cluster, or brings all of them to this version.

    Shards first, then routers. The same call again completes what was broken off, and adds routers
    that are new in the file. Raises DeploymentError where a database cannot be used as it is.
    """
    reports = tuple(_make_shard(cluster, shard) for shard in cluster.shards)
    with connect(cluster.shards[0].conninfo) as conn:
        functions = [*read_functions(conn).values()]
    for router in cluster.routers:
        _make_router(cluster, router, functions)
    return ClusterReport(reports)


def _make_shard(cluster: ClusterFile, shard: Shard) -> deployment.MigrationReport:
    report = deployment.migrate(shard.conninfo)
    with connect(shard.conninfo) as conn, conn.transaction():
        conn.execute("set local search_path = pg_catalog, pg_temp")
        _run(conn, shard_tables())
        conn.execute(
            "select pgwallet_shard.join_cluster(%s, %s, %s)",
            [cluster.name, shard.number, len(cluster.shards)],
        )
        _make_role(conn, cluster.role)
        _run(conn, shard_calls(read_functions(conn).values(), _quoted(conn, cluster.role)))
    return report


def _make_role(conn: psycopg.Connection, role: str) -> None:
    """The role of the routers, where this one may make it; else somebody has."""
    if _has_role(conn, role):
        return
    name = sql.Identifier(role)
    try:
        # By who logged in: the owner of the ledger is best one that may create nothing.
        with conn.transaction(), _as_who_logged_in(conn):
            conn.execute(sql.SQL("create role {} login").format(name))
            for setting, value in _LIMITS.items():
                conn.execute(
                    sql.SQL("alter role {} set {} = {}").format(name, sql.SQL(setting), value)
                )
    except psycopg.errors.InsufficientPrivilege as error:
        raise deployment.DeploymentError(
            f"role {role}, which routers connect as, does not exist and this role may not create "
            f'it; have a superuser run: create role "{role}" login'
        ) from error


def _has_role(conn: psycopg.Connection, role: str) -> bool:
    found = conn.execute("select 1 from pg_roles where rolname = %s", [role])
    return found.fetchone() is not None


@contextmanager
def _as_who_logged_in(conn: psycopg.Connection) -> Iterator[None]:
    row = conn.execute("select current_setting('role')").fetchone()
    assert row is not None
    conn.execute("set local role none")
    yield
    conn.execute("select set_config('role', %s, true)", row)


def _make_router(cluster: ClusterFile, conninfo: str, functions: list[Function]) -> None:
    with connect(conninfo) as conn, conn.transaction():
        conn.execute("set local search_path = pg_catalog, pg_temp")
        owner = sql.Identifier(cluster.owner)
        _check_router(conn)
        if not conn.execute(
            "select 1 from pg_roles where rolname = %s", [cluster.owner]
        ).fetchone():
            conn.execute(sql.SQL("create role {} nologin").format(owner))
        conn.execute("create extension if not exists plproxy")
        conn.execute("create extension if not exists postgres_fdw")
        for schema in ("pgwallet", "pgwallet_router", "pgwallet_remote"):
            conn.execute(
                sql.SQL("create schema if not exists {} authorization {}").format(
                    sql.Identifier(schema), owner
                )
            )
        _point_to_shards(conn, cluster)
        _run(conn, remote_calls(functions))
        _hand_over(conn, cluster.owner)
        conn.execute(sql.SQL("set local role {}").format(owner))
        _run(conn, router_tables())
        _run(conn, router_functions(functions, len(cluster.shards), read_code().version))
        conn.execute("revoke all on all functions in schema pgwallet_router from public")


def _check_router(conn: psycopg.Connection) -> None:
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


def _point_to_shards(conn: psycopg.Connection, cluster: ClusterFile) -> None:
    """Tells PL/Proxy where the shards are; no password is among it."""
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


def _quoted(conn: psycopg.Connection, name: str) -> str:
    return sql.Identifier(name).as_string(conn)


def _run(conn: psycopg.Connection, script: str) -> None:
    cursor = conn.execute(script.encode())
    while cursor.nextset():
        pass
