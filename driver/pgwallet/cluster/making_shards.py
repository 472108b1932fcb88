"""Makes a database a shard: the ledger, who it is in the cluster, what routers may call."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from pgwallet import deployment
from pgwallet.deployment.connecting import connect

from .code import shard_calls, shard_tables
from .comparing import compare
from .file import ClusterFile, Shard
from .functions import Function, read_functions
from .making import OTHERS, drop, has_role, quoted, run, set_up
from .views import drop_shard_views, write_shard_views

# A call that waits on a shard is not to wait longer than who asked, nor for a router that is gone.
LIMITS = {"lock_timeout": "30s", "client_connection_check_interval": "1s"}


def make_shard(
    cluster: ClusterFile, shard: Shard, *, adopt: bool, downgrade: bool, wait: float
) -> deployment.MigrationReport:
    report = _migrate_ledger(shard, downgrade, wait)
    with connect(shard.conninfo) as conn, conn.transaction():
        set_up(conn, wait)
        run(conn, shard_tables())
        make_role(conn, cluster.role)
        write_shard_calls(conn, cluster)
        # Last, since sequences know no rollback.
        conn.execute(
            "select pgwallet_shard.join_cluster(%s, %s, %s, %s)",
            [cluster.name, shard.number, len(cluster.shards), adopt],
        )
    return report


def forget_old_calls(cluster: ClusterFile, shard: Shard, functions: list[Function]) -> None:
    """Once all routers are at this version, nobody needs what only the one before had."""
    known = [f"{function.name}({function.types_on_shard})" for function in functions]
    with connect(shard.conninfo) as conn, conn.transaction():
        drop(conn, conn.execute(OTHERS, ["pgwallet_call", known]))


def _migrate_ledger(shard: Shard, downgrade: bool, wait: float) -> deployment.MigrationReport:
    try:
        return deployment.migrate(shard.conninfo, downgrade=downgrade, wait=wait)
    except deployment.DeploymentError as error:
        if not isinstance(error.__cause__, psycopg.errors.DependentObjectsStillExist):
            raise
        # A migration drops what a view for routers shows; they are made again at the end.
        with connect(shard.conninfo) as conn, conn.transaction():
            drop_shard_views(conn)
        return deployment.migrate(shard.conninfo, downgrade=downgrade, wait=wait)


def write_shard_calls(conn: psycopg.Connection, cluster: ClusterFile) -> None:
    """What routers call and read; routers of the version before find it as it was for them."""
    _write_calls(conn, cluster)
    write_shard_views(conn, cluster.role)


def _write_calls(conn: psycopg.Connection, cluster: ClusterFile) -> None:
    script = shard_calls(read_functions(conn).values(), quoted(conn, cluster.role))
    if not [*compare(conn, script, ["pgwallet_call"])] and _may_call(conn, cluster.role):
        return
    try:
        with conn.transaction():
            run(conn, script)
    except psycopg.errors.InvalidFunctionDefinition:
        # Columns have come in, for which `create or replace` is no way.
        drop(conn, conn.execute(OTHERS, ["pgwallet_call", []]))
        run(conn, script)


def _may_call(conn: psycopg.Connection, role: str) -> bool:
    row = conn.execute(
        "select bool_and(has_function_privilege(%s, p.oid, 'execute')) from pg_proc as p "
        "where p.pronamespace = 'pgwallet_call'::regnamespace",
        [role],
    ).fetchone()
    return row == (True,)


def make_role(conn: psycopg.Connection, role: str) -> None:
    """The role of the routers, where this one may make it; else somebody has."""
    if has_role(conn, role):
        return
    name = quoted(conn, role)
    makes_it = "; ".join(
        [
            f"create role {name} login",
            *(set_limit(name, setting) for setting in LIMITS),
        ]
    )
    try:
        # By who logged in: the owner of the ledger is best one that may create nothing.
        with conn.transaction(), _as_who_logged_in(conn):
            conn.execute(makes_it.encode())
    except psycopg.errors.InsufficientPrivilege as error:
        raise deployment.DeploymentError(
            f"role {role}, which routers connect as, does not exist and this role may not create "
            f"it; have a superuser run: {makes_it}"
        ) from error


def set_limit(quoted_role: str, setting: str) -> str:
    """The statement that gives the role of the routers one of LIMITS."""
    return f"alter role {quoted_role} set {setting} = '{LIMITS[setting]}'"


@contextmanager
def _as_who_logged_in(conn: psycopg.Connection) -> Iterator[None]:
    row = conn.execute("select current_setting('role')").fetchone()
    assert row is not None
    conn.execute("set local role none")
    yield
    conn.execute("select set_config('role', %s, true)", row)
