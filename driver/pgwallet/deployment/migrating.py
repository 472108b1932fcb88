"""Brings a database to this version of pgwallet."""

import logging
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg import errors

from .code import ROLES_PAGE, YOYO_TABLES, Code, read_code
from .comparing import Status, compare, edited_functions, refuse_router
from .connecting import DeploymentError, connect, exists, explain_errors
from .drift import Drift
from .waiting import Waiting

logger = logging.getLogger("pgwallet")

# The owner of the schema, the role that asks, and what it may do.
_ROLES = """
select r.rolname, r.rolsuper, r.rolcanlogin, pg_get_userbyid(n.nspowner),
  current_database(), has_database_privilege(current_database(), 'create')
from pg_roles as r left join pg_namespace as n on n.nspname = 'pgwallet'
where r.rolname = current_user
"""

_FOREIGN_OBJECTS = """
select c.relname::text
from pg_class as c join pg_namespace as n on c.relnamespace = n.oid
where n.nspname = 'pgwallet' and c.relkind not in ('i', 'I') and c.relname not in
  ('yoyo_lock', '_yoyo_log', '_yoyo_version', '_yoyo_migration')
union all
select p.proname::text
from pg_proc as p join pg_namespace as n on p.pronamespace = n.oid
where n.nspname = 'pgwallet'
order by 1
"""


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What one `migrate` did: all empty when there was nothing to do."""

    applied: tuple[str, ...]
    functions_installed: bool
    mended: tuple[Drift, ...]
    removed: tuple[str, ...]


def migrate(conninfo: str = "", *, downgrade: bool = False, wait: float = 60.0) -> MigrationReport:
    """Brings a database to this version of pgwallet, in one transaction.

    `conninfo` is any libpq string or URI; without it libpq's environment counts. The role that
    connects becomes the owner: best one that is no superuser and may not log in, taken on with
    `options='-c role=pgwallet_owner'`. It can run while the application does. For locks that others
    hold, another migrate or a transaction that was left open, it waits up to `wait` seconds, in
    tries that are short for those who wait behind it; the logger `pgwallet` is told who they are.
    Refuses a database that a newer version was installed in, unless `downgrade` says that the
    functions are to go back. Returns a `MigrationReport`. Raises DeploymentError, or psycopg's own
    error when the server cannot be reached.
    """
    code = read_code()
    with connect(conninfo) as conn, explain_errors():
        waiting = Waiting(conn, wait)
        # With nothing to do it needs no lock of deployments, so whoever holds that is no matter.
        found = waiting.repeat(lambda: _look_first(conn, code, downgrade, waiting))
        if not found.needs_migrate:
            return MigrationReport((), False, (), ())
        return waiting.repeat(lambda: _bring(conn, code, downgrade, waiting))


def _look_first(conn: psycopg.Connection, code: Code, downgrade: bool, waiting: Waiting) -> Status:
    conn.execute("set transaction isolation level repeatable read, read only")
    waiting.step("what pgwallet status reads")
    found, _ = _look(conn, code, downgrade)
    _warn(conn, found)
    return found


def _look(conn: psycopg.Connection, code: Code, downgrade: bool) -> tuple[Status, bool]:
    """What there is to do, and whether the schema is there; refuses what cannot be done."""
    conn.execute("set local search_path = pg_catalog, pg_temp")
    refuse_router(conn)
    schema_exists = _check_roles(conn)
    found = compare(conn, code)
    _check_contents(conn, found, code, downgrade)
    return found, schema_exists


def _bring(
    conn: psycopg.Connection, code: Code, downgrade: bool, waiting: Waiting
) -> MigrationReport:
    """One try, in a transaction: it does all of it or fails."""
    # Read committed, so that what is read after waiting for the lock is what others left.
    conn.execute("set transaction isolation level read committed")
    waiting.lock_deployment()
    found, schema_exists = _look(conn, code, downgrade)
    if not found.needs_migrate:
        return MigrationReport((), False, (), ())

    if not schema_exists:
        conn.execute("create schema pgwallet")
    if not exists(conn, "pgwallet._yoyo_migration"):
        conn.execute(YOYO_TABLES)
    for migration in code.migrations:
        if migration.id in found.pending:
            # Where there is nothing yet, nobody waits.
            for part in migration.statements if schema_exists else (migration.script,):
                waiting.step(f"what {migration.id} has to lock")
                conn.execute(part.encode())
    waiting.step("what the installation of the functions has to lock")
    removed = _install_functions(conn, code)
    return MigrationReport(found.pending, True, found.mended_by_migrate, removed)


def _warn(conn: psycopg.Connection, found: Status) -> None:
    ((role, superuser, login, *_),) = conn.execute(_ROLES).fetchall()
    if superuser or login:
        logger.warning(
            "pgwallet is owned by %s, a role that %s: good enough to try it out, but elsewhere "
            "let a role own it that is no superuser and may not log in; see %s",
            role,
            "is a superuser" if superuser else "may log in",
            ROLES_PAGE,
        )
    for drift in found.drift:
        if not drift.is_mended_by_migrate:
            logger.warning("%s; what mends it: %s", drift, drift.remedy)


def _check_roles(conn: psycopg.Connection) -> bool:
    """Whether the schema is there, once it is sure that the role may make it or owns it."""
    ((role, _, _, owner, database, may_create),) = conn.execute(_ROLES).fetchall()
    if owner is None and not may_create:
        raise DeploymentError(
            f"role {role} may not create a schema in database {database}; have the owner of the "
            f'database run: create schema pgwallet authorization "{role}"'
        )
    if owner not in (None, role):
        raise DeploymentError(
            f"the schema pgwallet belongs to {owner}, not to {role}; connect as {owner}, "
            f"or add options='-c role={owner}' to the connection string"
        )
    return owner is not None


def _check_contents(conn: psycopg.Connection, found: Status, code: Code, downgrade: bool) -> None:
    """Refuses a database that a newer pgwallet or somebody else has made."""
    if found.unknown:
        raise DeploymentError(
            f"the database is newer than this pgwallet: it has {', '.join(found.unknown)}; "
            "install the version of pgwallet that made it, or a later one"
        )
    if found.newer and not downgrade:
        raise DeploymentError(
            f"the database has pgwallet {found.version}, and this is {code.version}, which is "
            "older: nothing was changed. Run migrate of that version, or a later one; to go back "
            "to the functions of this one on purpose: pgwallet migrate --downgrade"
        )
    if len(found.pending) == len(code.migrations):
        foreign = [name for (name,) in conn.execute(_FOREIGN_OBJECTS)]
        if foreign:
            raise DeploymentError(
                f"the schema pgwallet holds what pgwallet did not make: {', '.join(foreign)}; "
                "move it to another schema, or use another database"
            )


def _install_functions(conn: psycopg.Connection, code: Code) -> tuple[str, ...]:
    try:
        with conn.transaction():
            return _run_functions_script(conn, code)
    except (errors.InvalidFunctionDefinition, errors.WrongObjectType):
        # Somebody changed by hand what `create or replace` cannot change back, such as a result.
        for signature in edited_functions(conn, code):
            with suppress(errors.DependentObjectsStillExist), conn.transaction():
                conn.execute(f"drop routine {signature}".encode())
        return _run_functions_script(conn, code)


def _run_functions_script(conn: psycopg.Connection, code: Code) -> tuple[str, ...]:
    cursor = conn.execute(code.functions.encode())
    while cursor.nextset():
        pass
    return tuple(signature for (signature,) in cursor)
