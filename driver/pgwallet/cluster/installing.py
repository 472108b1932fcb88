"""Makes a cluster of databases: marks the shards, then writes the routers."""

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from pgwallet import deployment
from pgwallet.deployment.code import read_code
from pgwallet.deployment.connecting import connect
from pgwallet.deployment.waiting import LOCK_DEPLOYMENT

from .code import remote_calls, router_functions, router_tables, shard_calls, shard_tables
from .comparing import compare
from .file import ClusterFile, Shard
from .functions import Function, read_functions
from .members import Identity, kind_of, look, member, place_of, version_of
from .views import (
    CHANGING,
    drop_shard_views,
    point_views,
    read_views,
    write_shard_views,
    write_views,
)

logger = logging.getLogger("pgwallet")

ROUTER_SCHEMAS = ("pgwallet", "pgwallet_router", "pgwallet_remote")

# A call that waits on a shard is not to wait longer than who asked, nor for a router that is gone.
_LIMITS = {"lock_timeout": "30s", "client_connection_check_interval": "1s"}

# The functions of a schema but those that are named, with their types.
_OTHERS = """
select p.oid::regprocedure::text
from pg_proc as p
where p.pronamespace = to_regnamespace(%s) and format('%%s(%%s)', p.proname, (
  select string_agg(format_type(a.type, null), ', ' order by a.n)
  from unnest(p.proargtypes::oid[]) with ordinality as a (type, n)
)) <> all (%s)
"""

# Written before this transaction.
_OLD = """
select p.oid::regprocedure::text
from pg_proc as p
where p.pronamespace = 'pgwallet_remote'::regnamespace and age(p.xmin) > 0
"""

_DROP_FIRST = re.compile(r"DROP (FUNCTION|PROCEDURE) .*(?= first)")

_IDENTITY_BY_ROUTER = """
select i.cluster, i.shard, i.shard_count, i.moved_at is not null, i.place, i.error
from pgwallet_remote.show_identity(%s) as i
"""


@dataclass(frozen=True, slots=True)
class ClusterReport:
    """What one `init` or `migrate` did: `shards` by their number, and the routers written anew."""

    shards: tuple[deployment.MigrationReport, ...]
    routers: tuple[int, ...] = ()


def init(cluster: ClusterFile, *, wait: float = 60.0) -> ClusterReport:
    """Makes the databases of the file a cluster, or brings all of them to this version.

    Shards first, then routers. The same call again completes what was broken off, and adds routers
    that are new in the file. Raises DeploymentError where a database cannot be used as it is; what
    can be known before is, with nothing changed then.
    """
    return _bring(cluster, made=False, downgrade=False, wait=wait)


def migrate(cluster: ClusterFile, *, downgrade: bool = False, wait: float = 60.0) -> ClusterReport:
    """Brings a running cluster to this version: shards first, then routers.

    Calls go on meanwhile, whichever of two neighbouring versions a shard or a router has. Raises
    DeploymentError, which says what was left behind: the same call again goes on from there.
    `downgrade` and `wait` are as for one database.
    """
    return _bring(cluster, made=True, downgrade=downgrade, wait=wait)


def _bring(cluster: ClusterFile, *, made: bool, downgrade: bool, wait: float) -> ClusterReport:
    code = read_code()
    look(cluster, code, _check_router, made=made, downgrade=downgrade)
    steps = [f"shard {shard.number}" for shard in cluster.shards]
    steps += [f"router {number}" for number in range(len(cluster.routers))]
    reports, routers = [], []
    try:
        for shard in cluster.shards:
            with member(steps[0], shard.conninfo):
                reports.append(_make_shard(cluster, shard, downgrade, wait))
            logger.info("%s is at version %s", steps.pop(0), code.version)
        with connect(cluster.shards[0].conninfo) as conn:
            functions = [*read_functions(conn).values()]
        for number, router in enumerate(cluster.routers):
            with member(steps[0], router):
                if _make_router(cluster, router, functions, wait):
                    routers.append(number)
            logger.info("%s is at version %s", steps.pop(0), code.version)
    except (deployment.DeploymentError, psycopg.Error) as error:
        if len(steps) == len(cluster.shards) + len(cluster.routers):
            raise
        raise deployment.DeploymentError(
            f"{_said(error)}\nLeft behind: {', '.join(steps)}. The cluster works as it is; run it "
            "again to bring them to this version, too"
        ) from error
    for shard in cluster.shards:
        _forget_old_calls(cluster, shard, functions)
    return ClusterReport(tuple(reports), tuple(routers))


def _said(error: Exception) -> str:
    if isinstance(error, psycopg.Error):
        return error.diag.message_primary or str(error).strip()
    return str(error)


def _make_shard(
    cluster: ClusterFile, shard: Shard, downgrade: bool, wait: float
) -> deployment.MigrationReport:
    with connect(shard.conninfo) as conn, conn.transaction():
        if kind_of(conn).is_shard and version_of(conn) != read_code().version:
            drop_shard_views(conn)
    report = deployment.migrate(shard.conninfo, downgrade=downgrade, wait=wait)
    with connect(shard.conninfo) as conn, conn.transaction():
        _set_up(conn, wait)
        run(conn, shard_tables())
        conn.execute(
            "select pgwallet_shard.join_cluster(%s, %s, %s)",
            [cluster.name, shard.number, len(cluster.shards)],
        )
        make_role(conn, cluster.role)
        write_shard_calls(conn, cluster)
    return report


def write_shard_calls(conn: psycopg.Connection, cluster: ClusterFile) -> None:
    """What routers call and read; routers of the version before find it as it was for them."""
    _write_calls(conn, cluster)
    write_shard_views(conn, cluster.role)


def _write_calls(conn: psycopg.Connection, cluster: ClusterFile) -> None:
    script = shard_calls(read_functions(conn).values(), _quoted(conn, cluster.role))
    if not [*compare(conn, script, ["pgwallet_call"])] and _may_call(conn, cluster.role):
        return
    try:
        with conn.transaction():
            run(conn, script)
    except psycopg.errors.InvalidFunctionDefinition:
        # Columns have come in, for which `create or replace` is no way.
        _drop(conn, conn.execute(_OTHERS, ["pgwallet_call", []]))
        run(conn, script)


def _may_call(conn: psycopg.Connection, role: str) -> bool:
    row = conn.execute(
        "select bool_and(has_function_privilege(%s, p.oid, 'execute')) from pg_proc as p "
        "where p.pronamespace = 'pgwallet_call'::regnamespace",
        [role],
    ).fetchone()
    return row == (True,)


def _forget_old_calls(cluster: ClusterFile, shard: Shard, functions: list[Function]) -> None:
    """Once all routers are at this version, nobody needs what only the one before had."""
    known = [f"{function.name}({function.types})" for function in functions]
    with connect(shard.conninfo) as conn, conn.transaction():
        _drop(conn, conn.execute(_OTHERS, ["pgwallet_call", known]))


def _drop(conn: psycopg.Connection, signatures: Iterable[tuple[str]]) -> None:
    for (signature,) in [*signatures]:
        conn.execute(f"drop routine {signature}".encode())


def _set_up(conn: psycopg.Connection, wait: float) -> None:
    """One deployment at a time, in a transaction of its own."""
    conn.execute("set local search_path = pg_catalog, pg_temp")
    conn.execute("select set_config('lock_timeout', %s, true)", [f"{round(wait * 1000)}ms"])
    conn.execute(LOCK_DEPLOYMENT)


def make_role(conn: psycopg.Connection, role: str) -> None:
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


def _make_router(
    cluster: ClusterFile, conninfo: str, functions: list[Function], wait: float
) -> bool:
    """Whether there was something to write."""
    remote = remote_calls(functions)
    local = router_functions(functions, cluster, read_code().version)
    with connect(conninfo) as conn, conn.transaction():
        _set_up(conn, wait)
        owner = sql.Identifier(cluster.owner)
        if not _has_role(conn, cluster.owner):
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
        if written:
            _write_router(conn, cluster, remote, local)
        check_reach(conn, cluster)
    return written


def _write_router(conn: psycopg.Connection, cluster: ClusterFile, remote: str, local: str) -> None:
    conn.execute("set local lc_messages = 'C'")
    while True:
        try:
            with conn.transaction():
                _write_functions(conn, cluster, remote, local)
        except psycopg.errors.InvalidFunctionDefinition as error:
            # Another result, for which `create or replace` is no way; the hint names the function.
            dropped = _DROP_FIRST.search(error.diag.message_hint or "")
            if dropped is None:
                raise
            conn.execute(dropped[0].encode())
        else:
            return


def _write_functions(
    conn: psycopg.Connection, cluster: ClusterFile, remote: str, local: str
) -> None:
    with connect(cluster.shards[0].conninfo) as shard:
        views = read_views(shard)
    run(conn, remote)
    _drop(conn, conn.execute(_OLD))
    _hand_over(conn, cluster.owner)
    conn.execute(sql.SQL("set local role {}").format(sql.Identifier(cluster.owner)))
    run(conn, router_tables())
    # Before the functions, whose installation ends with the grants.
    write_views(conn, cluster, views)
    run(conn, local)
    run(conn, CHANGING)
    conn.execute("revoke all on all functions in schema pgwallet_router from public")
    conn.execute("set local role none")


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
        return _said(error)
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


def _quoted(conn: psycopg.Connection, name: str) -> str:
    return sql.Identifier(name).as_string(conn)


def run(conn: psycopg.Connection, script: str) -> None:
    cursor = conn.execute(script.encode())
    while cursor.nextset():
        pass
