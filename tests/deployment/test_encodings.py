"""A database in an encoding other than UTF-8 holds the same ledger."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

import pgwallet

pytestmark = pytest.mark.sql


@pytest.fixture(params=["LATIN1", "WIN1251", "SQL_ASCII"])
def foreign_database(request: pytest.FixtureRequest, server: str) -> Iterator[str]:
    name = f"pgwallet_test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(
            sql.SQL("create database {} template template0 locale 'C' encoding {}").format(
                sql.Identifier(name), sql.Literal(request.param)
            )
        )
        try:
            yield make_conninfo(server, dbname=name)
        finally:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def test_it_is_migrated_and_used(foreign_database: str) -> None:
    pgwallet.migrate(foreign_database)
    assert pgwallet.status(foreign_database).up_to_date
    with psycopg.connect(foreign_database, client_encoding="utf8") as conn:
        wallet_id = pgwallet.create_wallet(conn, "ada", "TOP").wallet_id
        pgwallet.deposit(conn, wallet_id, 5, idempotency_key="once")
        assert pgwallet.deposit(conn, wallet_id, 5, idempotency_key="once").replayed
        with pytest.raises(pgwallet.InvalidArgument, match="blank"), conn.transaction():
            pgwallet.create_wallet(conn, " \t")
        assert pgwallet.check_ledger(conn) == []
