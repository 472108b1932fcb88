"""One varied ledger for all tests that only read it, in a database of its own."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests import databases
from tests.access.roles import as_role, login_role
from tests.views.books import Books, varied_ledger


@pytest.fixture(scope="session")
def books(server: str, template: str) -> Iterator[Books]:
    with (
        databases.created(server, template) as name,
        psycopg.connect(make_conninfo(server, dbname=name)) as conn,
    ):
        books = varied_ledger(conn)
        conn.commit()
        yield books


@pytest.fixture(scope="session")
def monitor(server: str, books: Books) -> Iterator[psycopg.Connection]:
    """The session of an exporter or a board: it may read counts and sums of the books' ledger."""
    with login_role(server) as name:
        database = make_conninfo(server, dbname=books.conn.info.dbname)
        with psycopg.connect(databases.as_owner(database)) as owner:
            owner.execute("select pgwallet.grant_monitor(%s)", [name])
        with psycopg.connect(as_role(database, name), autocommit=True) as conn:
            yield conn
        with psycopg.connect(database) as superuser:
            superuser.execute(sql.SQL("drop owned by {}").format(sql.Identifier(name)))
