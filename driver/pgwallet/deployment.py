"""Installs and upgrades what lives in the database, and tells what a database lacks.

db/migrations holds what keeps state, one file after the other; db/procedures holds the
functions, which are written anew as a whole whenever their text changed. One `migrate` is one
transaction, so that a database has the old or the new, never a mix, whatever is killed.

yoyo says which migrations there are, and its tables in the schema pgwallet are kept as it keeps
them, so that plain `yoyo apply` and `migrate` take over from each other. yoyo does not apply
them here: it commits each migration on its own and leaves its lock behind when it is killed.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Literal

import psycopg
from psycopg import errors

logger = logging.getLogger("pgwallet")

OLDEST_SERVER = 15
_ROLES_PAGE = "https://pgwallet.readthedocs.io/en/latest/how-to/roles/"

# An upgrade that waits for a table makes the application wait behind it, so it gives up soon,
# unless the connection string sets a time of its own.
_LIMIT_LOCK_WAIT = """
select set_config('lock_timeout', '5s', true) where current_setting('lock_timeout') = '0'
"""

# As yoyo 9 makes them.
_YOYO_TABLES = """\
create table if not exists pgwallet.yoyo_lock (
  locked int default 1, ctime timestamp, pid int not null, primary key (locked)
);
create table pgwallet._yoyo_log (
  id varchar(36), migration_hash varchar(64), migration_id varchar(255), operation varchar(10),
  username varchar(255), hostname varchar(255), comment varchar(255), created_at_utc timestamp,
  primary key (id)
);
create table pgwallet._yoyo_version (
  version int not null primary key, installed_at_utc timestamp
);
create table pgwallet._yoyo_migration (
  migration_hash varchar(64), migration_id varchar(255), applied_at_utc timestamp,
  primary key (migration_hash)
);
insert into pgwallet._yoyo_version values (2, now() at time zone 'utc');
"""

_REFUSE_SECOND_INSTALL = """\
do $$
begin
  if exists (
    select from pg_class as c join pg_namespace as n on c.relnamespace = n.oid
    where n.nspname = 'pgwallet'
  ) then
    raise exception using
      errcode = '55000',
      message = 'the schema pgwallet already holds tables',
      hint = 'Upgrade with pgwallet migrate, or drop the schema first. Nothing was changed.';
  end if;
end
$$;
create schema if not exists pgwallet;
"""

# What `migrate` logs, for who runs the script.
_WARN_OF_OWNER = f"""\
do $$
begin
  if (select r.rolsuper or r.rolcanlogin from pg_roles as r where r.rolname = current_user) then
    raise warning using
      message = format(
        'pgwallet will be owned by %s, which is a superuser or may log in', current_user
      ),
      hint = 'Let a role own it that is neither, see {_ROLES_PAGE}';
  end if;
end
$$;
"""

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

_LAST_DEPLOYMENT = """
select d.source_hash from pgwallet.deployment as d order by d.deployment_id desc limit 1
"""

_DRIFT = """
select
  coalesce(i.signature, d.signature),
  case
    when d.signature is null then 'unknown' when i.signature is null then 'missing' else 'edited'
  end
from pgwallet.installed_routine as i
full join pgwallet.deployed_routine as d on i.signature = d.signature
where i.definition_hash is distinct from d.definition_hash
order by 1
"""

_CAN_LIST_SEQUENCES = """
select to_regprocedure('pgwallet.list_sequences()') is not null
"""

_LATE_SEQUENCES = """
select s.sequence_name, s.next_value, s.highest_value
from pgwallet.list_sequences() as s
where s.next_value <= s.highest_value
order by s.sequence_name
"""


class DeploymentError(RuntimeError):
    """The database cannot be migrated as it is; the message says what to do. Nothing changed."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A function that is not as the last deployment left it."""

    signature: str
    what: Literal["edited", "missing", "unknown"]


@dataclass(frozen=True, slots=True)
class LateSequence:
    """A sequence behind its tables, as after a restore of some of them: it repeats ids."""

    name: str
    next_value: int
    highest_value: int

    @property
    def remedy(self) -> str:
        """The SQL that puts it past what the tables hold, for the owner."""
        if self.name == "posting_id_seq":
            # Only the last postings were looked at, and one before them may have a higher id.
            return (
                f"select setval('pgwallet.{self.name}', max(p.posting_id)) "
                "from pgwallet.posting as p"
            )
        return f"select setval('pgwallet.{self.name}', {self.highest_value})"


@dataclass(frozen=True, slots=True)
class Status:
    """What tells a database from this version of pgwallet.

    `unknown` are migrations that the database has and this version does not: it is newer.
    `functions_differ` means that the code's functions are others than those deployed last;
    `drift` is what was done by hand since. `late_sequences` are no matter of versions, and
    `migrate` leaves them: each has its `remedy`.
    """

    pending: tuple[str, ...]
    unknown: tuple[str, ...]
    functions_differ: bool
    drift: tuple[Drift, ...]
    late_sequences: tuple[LateSequence, ...] = ()

    @property
    def needs_migrate(self) -> bool:
        return bool(self.pending or self.unknown or self.functions_differ or self.drift)

    @property
    def up_to_date(self) -> bool:
        return not (self.needs_migrate or self.late_sequences)


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What one `migrate` did: all empty when there was nothing to do."""

    applied: tuple[str, ...]
    functions_installed: bool
    mended: tuple[Drift, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Migration:
    id: str
    script: str


@dataclass(frozen=True, slots=True)
class _Code:
    """The SQL of this version of pgwallet."""

    migrations: tuple[_Migration, ...]
    functions: str
    functions_hash: str


def migrations_directory() -> Path:
    """The directory to hand to yoyo: inside the installed package, or in the checkout."""
    package = Path(__file__).parent
    shipped = package / "db"
    return (shipped if shipped.is_dir() else package.parent.parent / "db") / "migrations"


def migrate(conninfo: str = "") -> MigrationReport:
    """Brings a database to this version of pgwallet, in one transaction.

    `conninfo` is any libpq string or URI; without it libpq's environment counts. The role that
    connects becomes the owner: best one that is no superuser and may not log in, taken on with
    `options='-c role=pgwallet_owner'`. Waits for another migrate; can run while the application
    does. Raises DeploymentError, or psycopg's own error when the server cannot be reached.
    """
    code = _read_code()
    with _connect(conninfo) as conn, _explain_errors(), conn.transaction():
        # Read committed, so that what is read after waiting for the lock is what others left.
        conn.execute("set transaction isolation level read committed")
        conn.execute("set local search_path = pg_catalog, pg_temp")
        conn.execute("select pg_advisory_xact_lock(hashtextextended('pgwallet.deployment', 0))")
        schema_exists = _check_roles(conn)
        found = _compare(conn, code)
        _check_contents(conn, found, code)
        for sequence in found.late_sequences:
            logger.warning(
                "the sequence %s gives out %s next, which is in use; run: %s",
                sequence.name,
                sequence.next_value,
                sequence.remedy,
            )
        if not found.needs_migrate:
            return MigrationReport((), False, (), ())

        conn.execute(_LIMIT_LOCK_WAIT)
        if not schema_exists:
            conn.execute("create schema pgwallet")
        if not _exists(conn, "pgwallet._yoyo_migration"):
            conn.execute(_YOYO_TABLES)
        for migration in code.migrations:
            if migration.id in found.pending:
                conn.execute(migration.script.encode())
        removed = _install_functions(conn, code, found.drift)
        return MigrationReport(found.pending, True, found.drift, removed)


def status(conninfo: str = "") -> Status:
    """Compares a database with this version of pgwallet; changes nothing.

    `conninfo` as for `migrate`. A database without pgwallet has everything pending. Raises
    DeploymentError, or psycopg's own error when the server cannot be reached.
    """
    code = _read_code()
    with _connect(conninfo) as conn, _explain_errors(), conn.transaction():
        conn.execute("set transaction isolation level repeatable read, read only")
        conn.execute("set local search_path = pg_catalog, pg_temp")
        return _compare(conn, code)


def install_script(functions_only: bool = False) -> str:
    """The whole installation as text for psql, the same as `migrate` runs on an empty database.

    With `functions_only` the functions alone, for a database that has all migrations.
    """
    code = _read_code()
    if functions_only:
        parts = [code.functions]
    else:
        parts = [_REFUSE_SECOND_INSTALL, _YOYO_TABLES]
        parts += [migration.script for migration in code.migrations]
        parts += [code.functions]
    return "\n".join(
        [
            "-- pgwallet: run with psql as the role that is to own it, say after: set role ...",
            "\\set ON_ERROR_STOP on",
            "begin;",
            "set local client_encoding = 'UTF8';",
            "set local search_path = pg_catalog, pg_temp;",
            _WARN_OF_OWNER,
            *parts,
            "commit;\n",
        ]
    )


def _read_code() -> _Code:
    # Only here: an eighth of the time that importing pgwallet takes, which applications pay too.
    from yoyo import read_migrations

    found = read_migrations(escape(str(migrations_directory())))
    (post_apply,) = found.post_apply
    post_apply.load()
    return _Code(
        migrations=tuple(_Migration(m.id, _with_mark(m.id, m.hash, m.path)) for m in found),
        functions=post_apply.module.script,
        functions_hash=post_apply.module.source_hash,
    )


def _with_mark(migration_id: str, migration_hash: str, path: str) -> str:
    """The text of a migration, followed by the two rows that yoyo writes for it."""
    return f"""\
{Path(path).read_text("utf-8")}
insert into pgwallet._yoyo_log
  (id, migration_hash, migration_id, operation, username, hostname, created_at_utc)
values
  (gen_random_uuid()::text, '{migration_hash}', '{migration_id}', 'apply', session_user,
   'pgwallet', clock_timestamp() at time zone 'utc');
insert into pgwallet._yoyo_migration
values ('{migration_hash}', '{migration_id}', clock_timestamp() at time zone 'utc');
"""


@contextmanager
def _connect(conninfo: str) -> Iterator[psycopg.Connection]:
    # The files are UTF-8, whatever the environment says. Autocommit leaves transactions to us.
    with psycopg.connect(
        conninfo, autocommit=True, client_encoding="utf8", prepare_threshold=None
    ) as conn:
        if conn.info.server_version < OLDEST_SERVER * 10_000:
            raise DeploymentError(
                f"pgwallet needs PostgreSQL {OLDEST_SERVER} or later, this server is "
                f"{conn.info.parameter_status('server_version')}; use another server"
            )
        yield conn


@contextmanager
def _explain_errors() -> Iterator[None]:
    try:
        yield
    except errors.LockNotAvailable as error:
        raise DeploymentError(
            f"{error.diag.message_primary}: others held a lock for too long. Run migrate again, "
            "or give it more time with options='-c lock_timeout=60s' in the connection string"
        ) from error
    except errors.InsufficientPrivilege as error:
        raise DeploymentError(
            f"{error.diag.message_primary}: connect as the owner of the schema pgwallet, "
            "or take its role on with options='-c role=NAME' in the connection string"
        ) from error
    except errors.DependentObjectsStillExist as error:
        raise DeploymentError(
            f"{error.diag.message_primary} ({error.diag.message_detail}): pgwallet no longer has "
            "this function, so drop what depends on it, then run migrate again"
        ) from error


def _exists(conn: psycopg.Connection, relation: str) -> bool:
    return conn.execute("select to_regclass(%s)", [relation]).fetchone() != (None,)


def _check_roles(conn: psycopg.Connection) -> bool:
    """Whether the schema is there, once it is sure that the role may make it or owns it."""
    ((role, superuser, login, owner, database, may_create),) = conn.execute(_ROLES).fetchall()
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
    if superuser or login:
        logger.warning(
            "pgwallet is owned by %s, a role that %s: good enough to try it out, but elsewhere "
            "let a role own it that is no superuser and may not log in; see %s",
            role,
            "is a superuser" if superuser else "may log in",
            _ROLES_PAGE,
        )
    return owner is not None


def _compare(conn: psycopg.Connection, code: _Code) -> Status:
    applied: set[str] = set()
    if _exists(conn, "pgwallet._yoyo_migration"):
        rows = conn.execute("select m.migration_id from pgwallet._yoyo_migration as m")
        applied = {migration_id for (migration_id,) in rows}
    deployed: tuple[str] | None = None
    drift: tuple[Drift, ...] = ()
    late_sequences: tuple[LateSequence, ...] = ()
    if _exists(conn, "pgwallet.deployment"):
        deployed = conn.execute(_LAST_DEPLOYMENT).fetchone()
        drift = tuple(Drift(*row) for row in conn.execute(_DRIFT))
        if conn.execute(_CAN_LIST_SEQUENCES).fetchone() == (True,):
            late_sequences = tuple(LateSequence(*row) for row in conn.execute(_LATE_SEQUENCES))
    known = [migration.id for migration in code.migrations]
    return Status(
        pending=tuple(name for name in known if name not in applied),
        unknown=tuple(sorted(applied.difference(known))),
        functions_differ=deployed != (code.functions_hash,),
        drift=drift,
        late_sequences=late_sequences,
    )


def _check_contents(conn: psycopg.Connection, found: Status, code: _Code) -> None:
    """Refuses a database that a newer pgwallet or somebody else has made."""
    if found.unknown:
        raise DeploymentError(
            f"the database is newer than this pgwallet: it has {', '.join(found.unknown)}; "
            "install the version of pgwallet that made it, or a later one"
        )
    if len(found.pending) == len(code.migrations):
        foreign = [name for (name,) in conn.execute(_FOREIGN_OBJECTS)]
        if foreign:
            raise DeploymentError(
                f"the schema pgwallet holds what pgwallet did not make: {', '.join(foreign)}; "
                "move it to another schema, or use another database"
            )


def _install_functions(
    conn: psycopg.Connection, code: _Code, drift: tuple[Drift, ...]
) -> tuple[str, ...]:
    try:
        with conn.transaction():
            return _run_functions_script(conn, code)
    except (errors.InvalidFunctionDefinition, errors.WrongObjectType):
        # Somebody changed by hand what `create or replace` cannot change back, such as a result.
        for routine in drift:
            if routine.what == "edited":
                with suppress(errors.DependentObjectsStillExist), conn.transaction():
                    conn.execute(f"drop routine {routine.signature}".encode())
        return _run_functions_script(conn, code)


def _run_functions_script(conn: psycopg.Connection, code: _Code) -> tuple[str, ...]:
    cursor = conn.execute(code.functions.encode())
    while cursor.nextset():
        pass
    return tuple(signature for (signature,) in cursor)
