"""Databases that live as long as a `with` block."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

# Its own name for each run, so that two runs on one server do not meet.
OWNER = f"pgwallet_owner_{secrets.token_hex(4)}"


@contextmanager
def owner_role(server: str) -> Iterator[None]:
    """The role that owns what the tests install: no superuser and without login, as advised."""
    role = sql.Identifier(OWNER)
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("create role {}").format(role))
        try:
            yield
        finally:
            admin.execute(sql.SQL("drop role {}").format(role))


@contextmanager
def created(server: str, template: str = "template1") -> Iterator[str]:
    """Creates a database from a template and yields its name; drops it with who is still in it."""
    name = f"pgwallet_test_{secrets.token_hex(6)}"
    names = {
        "name": sql.Identifier(name),
        "template": sql.Identifier(template),
        "owner": sql.Identifier(OWNER),
    }
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(
            # Copied at once; by default all of it goes through the buffers and the log.
            sql.SQL(
                "create database {name} template {template} owner {owner} strategy file_copy"
            ).format(**names)
        )
    try:
        yield name
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(sql.SQL("drop database {name} with (force)").format(**names))


def as_owner(conninfo: str) -> str:
    """The same connection with the owner's rights alone."""
    return make_conninfo(conninfo, options=f"-c role={OWNER}")
