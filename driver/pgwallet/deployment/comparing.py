"""Tells what a database lacks of this version of pgwallet, and what was changed by hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import psycopg
from psycopg import errors

from .code import Code, read_code
from .connecting import DeploymentError, connect, exists, explain_errors
from .describing import describe, set_up
from .drift import LOOK_AGAIN, Drift
from .functions import compare_functions
from .rights import compare_owners, compare_rights
from .structure import compare_structure
from .versions import is_newer

# Nobody waits for long behind a migration, nor does anybody behind what looks.
_LIMIT_LOCK_WAIT = "select set_config('lock_timeout', '200ms', true)"

_MAY_READ = """
select has_table_privilege(c.oid, 'select')
from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where n.nspname = 'pgwallet' and c.relname = '_yoyo_migration'
"""

_MAY_ASK = """
select has_schema_privilege(n.oid, 'usage') and has_function_privilege(p.oid, 'execute')
from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
where n.nspname = 'pgwallet' and p.proname = 'show_deployment'
"""

_MIGRATIONS = "select m.migration_id from pgwallet._yoyo_migration as m"

_LAST_DEPLOYMENT = """
select d.version, d.source_hash, d.owner_name::text
from pgwallet.deployment as d order by d.deployment_id desc limit 1
"""

_ASKED = """
select s.version, s.source_hash, s.owner_name, s.migrations from pgwallet.show_deployment() as s
"""

_OWNER = """
select r.rolname::text, r.rolsuper
from pg_namespace as n join pg_roles as r on r.oid = n.nspowner
where n.nspname = 'pgwallet'
"""

_SEQUENCES = """
select s.sequence_name, s.next_value, s.highest_value
from pgwallet.list_sequences() as s
where s.next_value <= s.highest_value
order by s.sequence_name
"""

_COLLATION = """
select quote_ident(d.datname), d.datcollversion, pg_database_collation_actual_version(d.oid)
from pg_database as d
where d.datname = current_database()
  and d.datcollversion is distinct from pg_database_collation_actual_version(d.oid)
"""


@dataclass(frozen=True, slots=True)
class Status:
    """What tells a database from this version of pgwallet.

    `pending` are migrations that the database lacks, `unknown` those that it has and this version
    does not. `version` is what was deployed last, None without a deployment; `newer` means that the
    database is newer than this version, which `migrate` refuses to bring back. `functions_differ`
    means that the functions deployed last are others than those of this version. `drift` is what
    was changed by hand since, as far as it can be told: tables and all else that migrations make
    where none is pending or unknown, functions, rights and sequences where the functions are those
    of this version. Owners and the order of texts can be told of any version but a newer one.
    """

    pending: tuple[str, ...]
    unknown: tuple[str, ...]
    functions_differ: bool
    drift: tuple[Drift, ...]
    version: str | None = None
    newer: bool = False

    @property
    def needs_migrate(self) -> bool:
        return bool(self.pending or self.unknown or self.functions_differ or self.mended_by_migrate)

    @property
    def mended_by_migrate(self) -> tuple[Drift, ...]:
        return tuple(drift for drift in self.drift if drift.is_mended_by_migrate)

    @property
    def up_to_date(self) -> bool:
        return not (self.needs_migrate or self.drift)


class _Deployment(NamedTuple):
    """What a database knows of its last deployment; nothing before the first."""

    migrations: frozenset[str] = frozenset()
    version: str | None = None
    source_hash: str | None = None
    owner: str | None = None


def status(conninfo: str = "") -> Status:
    """Compares a database with this version of pgwallet; changes nothing, and waits for nobody.

    `conninfo` as for `migrate`; any role with an access will do. Returns a `Status`; a database
    without pgwallet has everything pending. Raises DeploymentError, also while somebody changes the
    schema, or psycopg's own error when the server cannot be reached.
    """
    code = read_code()
    with connect(conninfo) as conn, explain_errors(), conn.transaction():
        conn.execute("set transaction isolation level repeatable read, read only")
        conn.execute(_LIMIT_LOCK_WAIT)
        try:
            return compare(conn, code)
        except errors.LockNotAvailable as error:
            raise DeploymentError(
                "somebody is changing the schema pgwallet, such as a migrate under way; "
                "look again when that has ended"
            ) from error


def compare(conn: psycopg.Connection, code: Code) -> Status:
    """All differences. What it sets and locks is as before when it is through."""
    with conn.transaction(force_rollback=True):
        set_up(conn)
        refuse_router(conn)
        return _compared(conn, code)


def is_router(conn: psycopg.Connection) -> bool:
    """Whether this is the router of a cluster: its schema pgwallet is no ledger."""
    return conn.execute("select to_regnamespace('pgwallet_router')").fetchone() != (None,)


def refuse_router(conn: psycopg.Connection) -> None:
    if is_router(conn):
        raise DeploymentError(
            "this database is a router of a cluster, which is deployed as a whole: "
            "run pgwallet cluster status FILE or pgwallet cluster migrate FILE"
        )


def _compared(conn: psycopg.Connection, code: Code) -> Status:
    deployment = _deployment_of(conn)
    known = [migration.id for migration in code.migrations]
    pending = tuple(name for name in known if name not in deployment.migrations)
    unknown = tuple(sorted(deployment.migrations.difference(known)))
    version = deployment.version
    functions_differ = (deployment.source_hash, version) != (code.functions_hash, code.version)
    newer = bool(unknown) or (version is not None and is_newer(version, code.version))
    # With no record of a deployment it is gone, and so may be other things.
    same_structure = not (pending or unknown or (functions_differ and version))
    same_functions = same_structure or not functions_differ
    drift: tuple[Drift, ...] = ()
    if same_structure or (version and not newer):
        drift = tuple(_drift_in(conn, code, deployment, same_structure, same_functions))
    return Status(pending, unknown, functions_differ, drift, version, newer)


def edited_functions(conn: psycopg.Connection, code: Code) -> list[str]:
    """The signatures of functions that are there in another form than this version's."""
    set_up(conn)
    found = compare_functions(conn, code.functions, code.schema, describe(conn))
    return [drift.name for drift in found if drift.what == "edited"]


def _deployment_of(conn: psycopg.Connection) -> _Deployment:
    match conn.execute(_MAY_READ).fetchone():
        case None:
            return _Deployment()
        case (True,):
            migrations = frozenset(name for (name,) in conn.execute(_MIGRATIONS))
            if not exists(conn, "pgwallet.deployment"):
                return _Deployment(migrations)
            return _Deployment(migrations, *(conn.execute(_LAST_DEPLOYMENT).fetchone() or ()))
    if conn.execute(_MAY_ASK).fetchone() != (True,):
        raise DeploymentError(
            f"role {conn.info.user} may not see what is installed: connect as the owner of the "
            "schema pgwallet, or have the owner give the role an access, see pgwallet grant"
        )
    *last, migrations = conn.execute(_ASKED).fetchone() or (None, None, None, [])
    return _Deployment(frozenset(migrations), *last)


def _drift_in(
    conn: psycopg.Connection,
    code: Code,
    deployment: _Deployment,
    same_structure: bool,
    same_functions: bool,
) -> Iterator[Drift]:
    described = describe(conn)
    yield from _compare_owner(conn, deployment)
    found = list[Drift]()
    if same_structure:
        found += compare_structure(code.schema, described)
    if same_functions:
        found += compare_functions(conn, code.functions, code.schema, described)
    yield from found
    # Whose an unknown thing is, and who may use it, is no matter of pgwallet's.
    unknown = {(drift.kind, drift.name) for drift in found if drift.what == "unknown"}
    others = {_short(drift.name) for drift in found if drift.kind == "function"}
    rights = compare_owners(conn)
    # What somebody else may have written is not called: status may run as a superuser.
    if same_functions and not others & {"list_rights", "_rights_of"}:
        rights = chain(rights, _asked(conn, "list_rights", compare_rights(conn, described)))
    yield from (drift for drift in rights if (drift.kind, drift.name) not in unknown)
    if same_functions and "list_sequences" not in others:
        yield from _asked(conn, "list_sequences", _compare_sequences(conn))
    yield from _compare_collation(conn)


def _asked(conn: psycopg.Connection, function: str, drift: Iterator[Drift]) -> Iterator[Drift]:
    """What a function helps to tell; with tables or rights gone it cannot."""
    try:
        with conn.transaction():
            yield from [*drift]
    except (errors.InsufficientPrivilege, errors.UndefinedTable, errors.UndefinedColumn) as error:
        detail = f"could not be asked: {error.diag.message_primary}"
        yield Drift("function", f"pgwallet.{function}()", "failed", detail, LOOK_AGAIN)


def _short(signature: str) -> str:
    return signature.partition("(")[0].removeprefix("pgwallet.")


def _compare_owner(conn: psycopg.Connection, deployment: _Deployment) -> Iterator[Drift]:
    """Whether the schema still belongs to whom it belonged to when it was deployed."""
    for owner, is_superuser in conn.execute(_OWNER):
        if owner != deployment.owner:
            with_rights = ", a superuser: all functions may do anything" if is_superuser else ""
            detail = f"belongs to {owner}{with_rights}; deployed for {deployment.owner}"
            yield Drift("schema", "pgwallet", "owner", detail)


def _compare_sequences(conn: psycopg.Connection) -> Iterator[Drift]:
    """Those that are behind their tables, as after a restore of some: they repeat ids."""
    for name, next_value, highest in conn.execute(_SEQUENCES):
        remedy = f"select setval('pgwallet.{name}', {highest});"
        if name == "posting_id_seq":
            # Only the last postings were looked at, and one before them may have a higher id.
            remedy = (
                f"select setval('pgwallet.{name}', max(p.posting_id)) from pgwallet.posting as p;"
            )
        detail = f"gives out {next_value} next, the tables go up to {highest}"
        yield Drift("sequence", name, "behind", detail, remedy)


def _compare_collation(conn: psycopg.Connection) -> Iterator[Drift]:
    for database, then, now in conn.execute(_COLLATION):
        yield Drift(
            "collation",
            database,
            "edited",
            f"the order of texts is that of version {then}, the system has {now}",
            f"reindex database {database}; alter database {database} refresh collation version;",
        )
