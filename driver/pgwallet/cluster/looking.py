"""Tells in what each database of a cluster is not as this version and the file have it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import psycopg

from pgwallet.deployment import DeploymentError, Drift
from pgwallet.deployment import drift as of_one_database
from pgwallet.deployment.code import Code, read_code
from pgwallet.deployment.comparing import compare as compare_ledger
from pgwallet.deployment.describing import set_up

from .code import remote_calls, router_functions, shard_calls, shard_tables
from .comparing import MIGRATE, compare
from .copying import name_of
from .file import ClusterFile, Shard
from .functions import Function, read_functions
from .making import quoted
from .making_routers import ROUTER_SCHEMAS, reach
from .making_shards import LIMITS, set_limit
from .members import Identity, identity_of, kind_of, member, version_of

_LIMIT_LOCK_WAIT = "select set_config('lock_timeout', '200ms', true)"

# What a standby has still to replay; only who may see others' sessions sees it.
_LAG = """
select
  max(pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn))::bigint,
  extract(epoch from max(r.replay_lag))::float8
from pg_stat_replication as r
where not pg_is_in_recovery()
"""

_MOVE_LEFT = "select s.slot_name::text from pg_replication_slots as s where s.slot_name = %s"

# What the role of the routers may do beyond calling the functions made for them, and may not do.
_RIGHTS = """
with caller as (select r.* from pg_roles as r where r.rolname = %(role)s)
select 'may not log in' from caller as c where not c.rolcanlogin
union all
select 'is a superuser, or may make roles or databases, or replicate'
from caller as c
where c.rolsuper or c.rolcreaterole or c.rolcreatedb or c.rolreplication or c.rolbypassrls
union all
select 'is a member of ' || m.roleid::regrole::text
from caller as c inner join pg_auth_members as m on m.member = c.oid
union all
select 'may not call ' || p.oid::regprocedure::text
from caller as c cross join pg_proc as p
where p.pronamespace = to_regnamespace('pgwallet_call')
  and not (
    has_function_privilege(c.oid, p.oid, 'execute')
    and has_schema_privilege(c.oid, p.pronamespace, 'usage')
  )
union all
select 'may call ' || p.oid::regprocedure::text
from caller as c cross join pg_proc as p
where p.pronamespace in (to_regnamespace('pgwallet'), to_regnamespace('pgwallet_shard'))
  and not c.rolsuper and has_function_privilege(c.oid, p.oid, 'execute')
  and has_schema_privilege(c.oid, p.pronamespace, 'usage')
union all
select 'may change ' || t.oid::regclass::text
from caller as c cross join pg_class as t
where t.relnamespace in (to_regnamespace('pgwallet'), to_regnamespace('pgwallet_shard'))
  and t.relkind in ('r', 'v') and not c.rolsuper
  and has_table_privilege(c.oid, t.oid, 'insert, update, delete, truncate, trigger')
union all
select 'may call what is for routers, and is ' || p.grantee::regrole::text
from (
  select distinct a.grantee
  from pg_proc as f cross join lateral aclexplode(f.proacl) as a
  where f.pronamespace = to_regnamespace('pgwallet_call') and a.grantee <> f.proowner
    and a.grantee <> 0
) as p
where p.grantee::regrole::text <> quote_ident(%(role)s)
"""

# What was made without the role's limits, or lost them: a dump of one database has none of them.
_LIMITS_LACKED = """
select w.setting
from unnest(%(settings)s::text[]) as w (setting)
inner join pg_roles as r on r.rolname = %(role)s
where not exists (
  select
  from pg_db_role_setting as s
  cross join lateral unnest(s.setconfig) as c (setting)
  where s.setrole = r.oid and starts_with(c.setting, w.setting || '=')
    and s.setdatabase in (
      0, (select d.oid from pg_database as d where d.datname = current_database())
    )
)
"""

_SERVER = """
select o.option_name::text, o.option_value::text
from pg_foreign_server as s cross join lateral pg_options_to_table(s.srvoptions) as o
where s.srvname = 'pgwallet'
"""

_MAPPING = """
select coalesce((
  select o.option_value from pg_options_to_table(m.umoptions) as o where o.option_name = 'user'
), '')
from pg_user_mappings as m where m.srvname = 'pgwallet' and m.usename = %s
"""


@dataclass(frozen=True, slots=True)
class MemberStatus:
    """One database of a cluster: `name` is such as "shard 0".

    `version` is what was deployed there last; `findings` are what is not as this version and the
    file have it. `lag_bytes` and `lag_seconds` are those of its slowest standby, None without one,
    or where this role may not see it.
    """

    name: str
    reached: bool
    version: str | None
    lag_bytes: int | None
    lag_seconds: float | None
    findings: tuple[Drift, ...]


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """What there is to say about each shard and router."""

    members: tuple[MemberStatus, ...]

    @property
    def up_to_date(self) -> bool:
        return not any(member.findings for member in self.members)


def status(cluster: ClusterFile) -> ClusterStatus:
    """Compares all databases with this version and the file; changes nothing.

    One that cannot be reached is named as such, and the others are looked at.
    """
    code = read_code()
    members: list[MemberStatus] = []
    functions: list[Function] | None = None
    for shard in cluster.shards:
        found, of_shard = _look_at_shard(cluster, shard, code)
        members.append(found)
        functions = functions or of_shard
    members += (
        _look_at_router(cluster, number, router, code, functions)
        for number, router in enumerate(cluster.routers)
    )
    return ClusterStatus(tuple(members))


def _look_at_shard(
    cluster: ClusterFile, shard: Shard, code: Code
) -> tuple[MemberStatus, list[Function] | None]:
    name = f"shard {shard.number}"
    functions = None
    version, lag = None, (None, None)
    findings: list[Drift] = []
    try:
        with member(name, shard.conninfo) as conn, conn.transaction():
            _set_up(conn)
            lag = conn.execute(_LAG).fetchone() or lag
            findings += _of_identity(conn, cluster, shard)
            ledger = compare_ledger(conn, code)
            version = ledger.version
            findings += _of_version(version, ledger.newer, code)
            findings += (Drift("migration", n, "missing", remedy=MIGRATE) for n in ledger.pending)
            if version == code.version and ledger.functions_differ:
                findings.append(Drift("function", "all", "edited", "of another build", MIGRATE))
            findings += map(_mended_here, _unless_moved(conn, ledger.drift))
            if not ledger.pending and not ledger.newer and identity_of(conn) is not None:
                there = [*read_functions(conn).values()]
                if not ledger.functions_differ:
                    functions = there
                set_up(conn)
                script = shard_tables() + shard_calls(there, cluster.role)
                findings += compare(conn, script, ["pgwallet_call", "pgwallet_shard"])
                findings += _of_role(conn, cluster.role)
            slot = conn.execute(_MOVE_LEFT, [name_of(shard.number)]).fetchone()
            if slot is not None:
                findings.append(
                    Drift(
                        "slot",
                        slot[0],
                        "unknown",
                        "a move is under way, or was broken off and keeps the log from going",
                        "pgwallet cluster move, again with the same arguments",
                    )
                )
    except (DeploymentError, psycopg.Error) as error:
        return MemberStatus(name, False, None, None, None, (_unreached(name, error),)), None
    return MemberStatus(name, True, version, *lag, tuple(findings)), functions


def _look_at_router(
    cluster: ClusterFile,
    number: int,
    conninfo: str,
    code: Code,
    functions: list[Function] | None,
) -> MemberStatus:
    name = f"router {number}"
    version, lag = None, (None, None)
    findings: list[Drift] = []
    try:
        with member(name, conninfo) as conn, conn.transaction():
            _set_up(conn)
            lag = conn.execute(_LAG).fetchone() or lag
            if not kind_of(conn).is_router:
                detail = "this database is no router; pgwallet cluster init makes it one"
                findings.append(Drift("router", conn.info.dbname, "missing", detail, MIGRATE))
            else:
                version = version_of(conn)
                findings += _of_version(version, False, code)
                if functions is not None and version == code.version:
                    script = remote_calls(functions)
                    script += router_functions(
                        functions, cluster, code.version, _has_adopted(cluster, conn)
                    )
                    findings += compare(conn, script, ROUTER_SCHEMAS)
                findings += _of_servers(conn, cluster)
                for shard in cluster.shards:
                    problem = reach(conn, cluster, shard)
                    if problem:
                        findings.append(
                            Drift("shard", str(shard.number), "failed", problem, _REACH)
                        )
    except (DeploymentError, psycopg.Error) as error:
        return MemberStatus(name, False, None, None, None, (_unreached(name, error),))
    return MemberStatus(name, True, version, *lag, tuple(findings))


def _has_adopted(cluster: ClusterFile, router: psycopg.Connection) -> bool:
    """As its first shard says; where that does not answer, what the router has goes."""
    try:
        with member("shard 0", cluster.shards[0].conninfo) as first:
            identity = identity_of(first)
    except (DeploymentError, psycopg.Error):
        row = router.execute("select pgwallet_router._has_adopted()").fetchone()
        return row == (True,)
    return identity is not None and identity.is_adopted


_REACH = "see that it runs, what the file says of it, and who may connect to it"


def _set_up(conn: psycopg.Connection) -> None:
    conn.execute(_LIMIT_LOCK_WAIT)
    set_up(conn)


def _unreached(name: str, error: Exception) -> Drift:
    kind, _, number = name.partition(" ")
    # Whoever tells it says which one it is.
    detail = str(error).strip().removeprefix(f"{name} ")
    return Drift(kind, number, "failed", detail, _REACH)


def _unless_moved(conn: psycopg.Connection, drift: Iterable[Drift]) -> Iterable[Drift]:
    """Without what refuses each change of a shard that has moved away: nobody is to drop that."""
    identity = identity_of(conn)
    if identity is None or not identity.has_moved:
        return drift
    return [each for each in drift if not each.name.endswith(".refuse_moved")]


def _mended_here(drift: Drift) -> Drift:
    return replace(drift, remedy=MIGRATE) if drift.remedy == of_one_database.MIGRATE else drift


def _of_identity(conn: psycopg.Connection, cluster: ClusterFile, shard: Shard) -> Iterator[Drift]:
    found = identity_of(conn)
    wanted = Identity(cluster.name, shard.number, len(cluster.shards))
    if found is None:
        yield Drift("shard", str(shard.number), "missing", "it is none", "pgwallet cluster init")
    elif found != wanted:
        yield Drift("shard", str(shard.number), "edited", f"it is {found}", "correct the file")


def _of_version(version: str | None, newer: bool, code: Code) -> Iterator[Drift]:
    if newer:
        detail = f"newer than this version, {code.version}"
        yield Drift("version", f"pgwallet {version}", "unknown", detail, "use that version")
    elif version != code.version:
        yield Drift("version", f"pgwallet {version}", "behind", f"this is {code.version}", MIGRATE)


def _of_role(conn: psycopg.Connection, role: str) -> Iterator[Drift]:
    if conn.execute("select from pg_roles where rolname = %s", [role]).fetchone() is None:
        yield Drift("role", role, "missing", "routers connect as it", "pgwallet cluster init")
    for (detail,) in conn.execute(_RIGHTS, {"role": role}):
        yield Drift("role", role, "rights", detail, "grant or revoke it")
    for (setting,) in conn.execute(_LIMITS_LACKED, {"role": role, "settings": [*LIMITS]}):
        mend = set_limit(quoted(conn, role), setting)
        yield Drift("role", role, "edited", f"has no {setting} of its own", mend)


def _of_servers(conn: psycopg.Connection, cluster: ClusterFile) -> Iterable[Drift]:
    options: dict[str, str] = dict(conn.execute(_SERVER).fetchall())
    for shard in cluster.shards:
        there = options.get(f"p{shard.number}")
        if there != shard.through:
            detail = f"goes to {there!r}, the file has {shard.through!r}"
            yield Drift("server", f"shard {shard.number}", "edited", detail, MIGRATE)
    mapped = [user for (user,) in conn.execute(_MAPPING, [cluster.owner])]
    if mapped != [cluster.role]:
        detail = f"as {' and '.join(mapped) or 'nobody'}, not as {cluster.role}"
        yield Drift("user mapping", cluster.owner, "edited", detail, MIGRATE)
