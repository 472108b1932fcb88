"""Roles that live as long as a `with` block."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

# Whatever is legal in a name or a password and often forgotten. Also a place in a format string.
ODD_NAME = 'Mr. "O\'Neil" 100% \\ Ünï'
ODD_PASSWORD = "p@ss:w/rd?#[]&=%20 '\\\" {} ü"


@contextmanager
def login_role(server: str, prefix: str = "pgwallet_test") -> Iterator[str]:
    """A new role that may log in, with ODD_PASSWORD; databases it has rights in go first."""
    name = f"{prefix} {secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(
            sql.SQL("create role {} login password {}").format(
                sql.Identifier(name), sql.Literal(ODD_PASSWORD)
            )
        )
        try:
            yield name
        finally:
            admin.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(name)))


def as_role(conninfo: str, role: str) -> str:
    """The same database, but really logging in as the role."""
    return make_conninfo(conninfo, user=role, password=ODD_PASSWORD)
