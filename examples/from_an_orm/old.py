"""The four old tables, read through temporary views that always have the same names."""

from collections.abc import Iterator, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg import sql

Connection = psycopg.Connection[Any]

# The tables and columns as Django names them, the view of each, and the types that the rest of the
# script counts on. Ids are not cast: a cast would hide their indexes.
_TABLES: dict[str, tuple[str, dict[str, LiteralString | None]]] = {
    "userwallet": (
        "old_wallet",
        {"id": None, "user_id": "text", "balance": "numeric", "created_at": "timestamptz"},
    ),
    "walletpocket": (
        "old_pocket",
        {
            "id": None,
            "wallet_id": None,
            "name": "text",
            "pocket_type": "text",
            "allocation_percentage": "numeric",
            "target_amount": "numeric",
            "current_amount": "numeric",
        },
    ),
    "wallettransaction": (
        "old_transaction",
        {
            "id": None,
            "wallet_id": None,
            "amount": "numeric",
            "transaction_type": "text",
            "created_at": "timestamptz",
        },
    ),
    "escrowcontract": (
        "old_escrow",
        {
            "id": None,
            "user_id": "text",
            "project_id": "text",
            "amount": "numeric",
            "status": "text",
            "pledge_transaction_id": None,
            "created_at": "timestamptz",
        },
    ),
}

_DERIVED = (
    # The sign of an amount follows from its type.
    """
    create temporary view old_movement as
    select
      t.*,
      case
        when t.transaction_type in ('DEPOSIT', 'REFUND', 'RELEASE', 'COMMISSION') then t.amount
        else -t.amount
      end as signed_amount
    from old_transaction as t
    """,
    # An escrow belongs to the wallet that its pledge was taken from.
    """
    create temporary view old_pledge as
    select e.*, t.wallet_id, t.amount as pledged_amount, t.old_row as pledge_row
    from old_escrow as e
    inner join old_transaction as t on t.id = e.pledge_transaction_id
    """,
)


class UnknownName(Exception):
    """A --name that renames nothing; the message lists what can be renamed."""


def named(app_label: str, renamed: Sequence[str]) -> dict[str, str]:
    """The name that each table and column really has; `renamed` are pairs like userwallet=w."""
    names = {table: f"{app_label}_{table}" for table in _TABLES}
    names |= {f"{table}.{name}": name for table in _TABLES for name in _TABLES[table][1]}
    for pair in renamed:
        standard, _, real = pair.partition("=")
        if standard not in names or not real:
            raise UnknownName(f"--name {pair}: no NAME=YOURS with a NAME of {', '.join(names)}")
        names[standard] = real
    return names


def opened(conninfo: str, names: dict[str, str]) -> Connection:
    """A connection on which the views exist."""
    conn = psycopg.connect(conninfo, autocommit=True, fallback_application_name="from_an_orm")
    try:
        for table, (view, columns) in _TABLES.items():
            conn.execute(
                sql.SQL(
                    "create temporary view {} as select {}, to_jsonb(t) as old_row from {} as t"
                ).format(
                    sql.Identifier(view),
                    sql.SQL(", ").join(
                        _column(name, names[f"{table}.{name}"], type_name)
                        for name, type_name in columns.items()
                    ),
                    sql.Identifier(*names[table].split(".")),
                )
            )
        for view in _DERIVED:
            conn.execute(view)
    except BaseException:
        conn.close()
        raise
    return conn


def _column(name: str, real: str, type_name: LiteralString | None) -> sql.Composable:
    column = sql.Identifier("t", real)
    if type_name is None:
        return sql.SQL("{} as {}").format(column, sql.Identifier(name))
    return sql.SQL("{}::{} as {}").format(column, sql.SQL(type_name), sql.Identifier(name))


def unknown(conn: Connection, wallet_ids: list[int]) -> list[int]:
    """Which of these wallets there are not."""
    rows = conn.execute("select w.id from old_wallet as w where w.id = any (%s)", [wallet_ids])
    return sorted(set(wallet_ids) - {wallet_id for (wallet_id,) in rows})


def count(conn: Connection) -> int:
    row = conn.execute("select count(*) from old_wallet").fetchone()
    assert row is not None
    return int(row[0])


def batches(conn: Connection, only: list[int] | None, size: int) -> Iterator[list[int]]:
    """The ids of the wallets, or those given, in order and some at a time."""
    if only is not None:
        for start in range(0, len(only), size):
            yield only[start : start + size]
        return
    last = -(2**63)
    while ids := [
        wallet_id
        for (wallet_id,) in conn.execute(
            "select w.id from old_wallet as w where w.id > %s order by w.id limit %s", [last, size]
        )
    ]:
        yield ids
        last = ids[-1]
