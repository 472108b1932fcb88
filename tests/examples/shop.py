"""The Django example, with a database and roles of its own, as its page advises."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests import databases, starting

PROJECT = Path(__file__).parents[2] / "examples" / "django_shop"
PASSWORD = "secret"

_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
}

# Roles belong to the server, so each run has its own.
_MAKE_ROLES = """\
create role {owner} nologin;
create role {migrator} login createdb password {password} in role {owner};
create role {app} login password {password};
alter database {database} owner to {migrator};
alter default privileges for role {migrator}
  grant select, insert, update, delete on tables to {app};
"""

# Warnings are errors, as for the other tests.
_PYTHON = (sys.executable, "-W", "error")


@dataclass(frozen=True, slots=True)
class Shop:
    conninfo: str  # a superuser's
    owner: str
    migrator: str
    app: str
    settings: Path

    def environment(self, role: str, options: str | None = None) -> dict[str, str]:
        """For a program that runs as the role, with other OPTIONS than the example's if given."""
        module = f"settings_{secrets.token_hex(4)}"
        (self.settings / f"{module}.py").write_text(
            "from shop.settings import *\n"
            f"PGWALLET_OWNER, PGWALLET_APP = {self.owner!r}, {self.app!r}\n"
            + (f"DATABASES['default']['OPTIONS'] = {options}\n" if options else ""),
            encoding="utf-8",
        )
        found = conninfo_to_dict(self.conninfo) | {"user": role, "password": PASSWORD}
        inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        path = [PROJECT, self.settings, *(Path(part).resolve() for part in inherited if part)]
        return {
            **os.environ,
            **{name: str(found[word]) for word, name in _VARIABLES.items() if word in found},
            "DJANGO_SETTINGS_MODULE": module,
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def manage(
        self, *arguments: str, options: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs manage.py as the role that migrates."""
        return subprocess.run(
            [*starting.python(), "-W", "error", "manage.py", *arguments],
            cwd=PROJECT,
            env=self.environment(self.migrator, options),
            capture_output=True,
            text=True,
            check=False,
        )

    @contextmanager
    def program(self, code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Runs a program as the application's role until the block ends."""
        with subprocess.Popen(
            [*_PYTHON, "-c", code, *arguments],
            env=self.environment(self.app),
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()


@contextmanager
def created(server: str, folder: Path) -> Iterator[Shop]:
    """A database for the shop with nothing in it, and its three roles."""
    mark = secrets.token_hex(4)
    roles = {name: f"shop_{name}_{mark}" for name in ("owner", "migrator", "app")}
    names = {name: sql.Identifier(role) for name, role in roles.items()}
    try:
        with databases.created(server) as database:
            conninfo = make_conninfo(server, dbname=database)
            with psycopg.connect(conninfo) as admin:
                admin.execute(
                    sql.SQL(_MAKE_ROLES).format(
                        **names,
                        database=sql.Identifier(database),
                        password=sql.Literal(PASSWORD),
                    )
                )
            try:
                yield Shop(conninfo, **roles, settings=folder)
            finally:
                _drop(server, f"test_{database}")
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            for role in ("app", "migrator", "owner"):
                admin.execute(sql.SQL("drop role if exists {}").format(names[role]))


def _drop(server: str, database: str) -> None:
    """What `manage.py test --keepdb` has left."""
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database))
        )
