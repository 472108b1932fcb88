"""Calling the SQL functions by name, and seeing that a refusal moved nothing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import count, islice
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

import pgwallet
from pgwallet.errors import PgWalletError, refusal
from tests import clusters
from tests.catalogue.signatures import SIGNATURES

TABLES = ("account", "wallet", "pocket", "project", "escrow", "transaction", "posting", "event")
_EVERYTHING = " union all ".join(
    f"select '{table}', count(*), md5(string_agg(t::text, ' ' order by t::text)) "
    f"from pgwallet.{table} as t"
    for table in TABLES
).encode()
# Where there are shards each looks at its own.
_ON_SHARDS = """
select replace(c.name, 'pgwallet.', ''), sum(c.rows)::bigint, sum(c.digest)::text
from pgwallet_test.contents() as c
where c.name = any (%s)
group by c.name
"""


def call(conn: psycopg.Connection, name: str, *args: Any, **named: Any) -> list[dict[str, Any]]:
    """The rows of a function, or none of a procedure; no driver refuses anything before."""
    placeholders: list[sql.Composable] = [sql.Placeholder() for _ in args]
    placeholders += [sql.SQL("{} => %s").format(sql.Identifier(key)) for key in named]
    verb = "call" if SIGNATURES[name].is_procedure else "select * from"
    statement = sql.SQL("{} {}({})").format(
        sql.SQL(verb), sql.Identifier("pgwallet", name), sql.SQL(", ").join(placeholders)
    )
    with conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement, [*args, *named.values()])
        return cursor.fetchall() if cursor.description else []


def everything(conn: psycopg.Connection) -> dict[str, tuple[int, str]]:
    """How many rows each table has, and a digest of them all."""
    if clusters.are_tested():
        found = conn.execute(_ON_SHARDS, [[f"pgwallet.{table}" for table in TABLES]])
    else:
        found = conn.execute(_EVERYTHING)
    return {table: (rows, digest) for table, rows, digest in found}


@contextmanager
def refused(conn: psycopg.Connection, sqlstate: str) -> Iterator[list[PgWalletError]]:
    """Expects one refusal, whole and with nothing changed; the list holds it afterwards."""
    said: list[PgWalletError] = []
    before = everything(conn)
    with pytest.raises((psycopg.Error, PgWalletError)) as caught, conn.transaction():
        yield said
    error = caught.value
    refused = refusal(error) if isinstance(error, psycopg.Error) else error
    assert isinstance(refused, PgWalletError), f"not of class PW: {error!r}"
    assert refused.sqlstate == sqlstate, str(refused)
    assert refused.message
    assert refused.detail
    assert refused.hint
    assert everything(conn) == before
    said.append(refused)


def funded(conn: psycopg.Connection, owner: str, amount: Any, currency: str = "EUR") -> int:
    """A new wallet with this much in it."""
    wallet_id = pgwallet.create_wallet(conn, owner, currency).wallet_id
    if amount:
        pgwallet.deposit(conn, wallet_id, amount)
    return wallet_id


def owners_in_slot_0() -> list[str]:
    """Two owners whose wallets, pockets and escrows have ids of the kind that projects have."""
    owners = (f"owner {number}" for number in count())
    in_slot = (o for o in owners if int.from_bytes(sha256(o.encode()).digest()[:2]) % 1024 == 0)
    return list(islice(in_slot, 2))


def escrow_account(conn: psycopg.Connection, wallet_id: int) -> int:
    """Where its pledges are, all to one project; a cluster has such an account on each shard."""
    rows = pgwallet.statement(conn, wallet_id, limit=1000)
    (account_id,) = {row.counterpart_id for row in rows if row.kind == "pledge"}
    return account_id


def last_posting(conn: psycopg.Connection, wallet_id: int) -> int:
    """Its id, which a reader of the feed goes on after; a cluster has a feed for each shard."""
    (row,) = pgwallet.statement(conn, wallet_id, limit=1, newest_first=True)
    return row.posting_id


def project(conn: psycopg.Connection, reference: str = "project", **arguments: Any) -> int:
    return pgwallet.create_project(conn, reference, **arguments).project_id


def by_hand(conn: psycopg.Connection, statement: str, parameters: Sequence[Any] = ()) -> None:
    """What only a superuser does to tables; on a cluster to those of each shard."""
    text = psycopg.ClientCursor(conn).mogrify(statement.encode(), parameters or None)
    if clusters.are_tested():
        conn.execute("select from pgwallet_test.run(%s)", [text])
    else:
        conn.execute(text.encode())


def value(conn: psycopg.Connection, statement: str, *parameters: Any) -> Any:
    """The only column of the only row."""
    row = conn.execute(statement.encode(), parameters).fetchone()
    assert row is not None
    return row[0]
