"""Databases that live as long as a `with` block."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

# Its own name for each run, so that two runs on one server do not meet.
OWNER = f"pgwallet_owner_{secrets.token_hex(4)}"

HERE = Path(__file__).parent

# By the name of a database: those that it reaches by foreign servers, and is copied with.
parts: dict[str, list[str]] = {}


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
    with ExitStack() as stack:
        copies = {
            each: stack.enter_context(created(server, each)) for each in parts.get(template, ())
        }
        name = stack.enter_context(copied(server, template))
        if copies:
            _point(make_conninfo(server, dbname=name), copies)
            parts[name] = [*copies.values()]
            stack.callback(parts.pop, name)
        yield name


@contextmanager
def copied(server: str, template: str) -> Iterator[str]:
    """The same without copies of what it reaches by foreign servers."""
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
        if template in parts:
            # Each call is committed by itself, as it is on a shard.
            separately = sql.SQL("alter database {name} set pgwallet.separate_commits = on")
            admin.execute(separately.format(**names))
    try:
        yield name
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(sql.SQL("drop database {name} with (force)").format(**names))


def _point(conninfo: str, copies: dict[str, str]) -> None:
    """Has the foreign servers of a copied database lead to the copies."""
    with psycopg.connect(conninfo) as conn:
        for server, option in conn.execute(
            "select s.srvname, o.option "
            "from pg_foreign_server as s, unnest(s.srvoptions) as o (option)"
        ).fetchall():
            key, _, value = option.partition("=")
            for old, new in copies.items():
                if old in value:
                    conn.execute(
                        sql.SQL("alter server {} options (set {} {})").format(
                            sql.Identifier(server), sql.Identifier(key), value.replace(old, new)
                        )
                    )


def as_owner(conninfo: str) -> str:
    """The same connection with the owner's rights alone."""
    return make_conninfo(conninfo, options=f"-c role={OWNER}")
