"""The SQL of this version of pgwallet: its migrations, its functions, all of it as one script."""

import json
import re
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from .describing import Description

ROLES_PAGE = "https://pgwallet.readthedocs.io/en/latest/how-to/roles/"

# As yoyo 9 makes them.
YOYO_TABLES = """\
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

# Up to a semicolon that is in no comment, text, name or body. What else a statement may have, such
# as a standard SQL body, migrations do without.
_STATEMENT = re.compile(
    r"(?:[^;'\"$-]|--[^\n]*|'[^']*'|\"[^\"]*\"|\$(\w*)\$.*?\$\1\$|[$-])*;", re.DOTALL
)

# What `migrate` logs, for who runs the script.
_WARN_OF_OWNER = f"""\
do $$
begin
  if (select r.rolsuper or r.rolcanlogin from pg_roles as r where r.rolname = current_user) then
    raise warning using
      message = format(
        'pgwallet will be owned by %s, which is a superuser or may log in', current_user
      ),
      hint = 'Let a role own it that is neither, see {ROLES_PAGE}';
  end if;
end
$$;
"""


@dataclass(frozen=True, slots=True)
class Migration:
    id: str
    script: str

    @property
    def statements(self) -> tuple[str, ...]:
        return tuple(match[0] for match in _STATEMENT.finditer(self.script))


@dataclass(frozen=True, slots=True)
class Code:
    """The SQL of this version of pgwallet, and what `schema` it makes."""

    migrations: tuple[Migration, ...]
    functions: str
    functions_hash: str
    version: str
    schema: Description


def migrations_directory() -> Path:
    """The directory to hand to yoyo: inside the installed package, or in the checkout."""
    package = Path(__file__).parent.parent
    shipped = package / "db"
    return (shipped if shipped.is_dir() else package.parent.parent / "db") / "migrations"


def install_script(functions_only: bool = False) -> str:
    """The whole installation as text for psql, the same as `migrate` runs on an empty database.

    With `functions_only` the functions alone, for a database that has all migrations.
    """
    code = read_code()
    if functions_only:
        parts = [code.functions]
    else:
        parts = [_REFUSE_SECOND_INSTALL, YOYO_TABLES]
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


def read_code() -> Code:
    # Only here: an eighth of the time that importing pgwallet takes, which applications pay too.
    from yoyo import read_migrations

    found = read_migrations(escape(str(migrations_directory())))
    (post_apply,) = found.post_apply
    post_apply.load()
    return Code(
        migrations=tuple(Migration(m.id, _with_mark(m.id, m.hash, m.path)) for m in found),
        functions=post_apply.module.script,
        functions_hash=post_apply.module.source_hash,
        version=post_apply.module.version,
        schema=json.loads((migrations_directory().parent / "schema.json").read_text("utf-8")),
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
