"""Reading views as dictionaries by id."""

from typing import Any

import psycopg
from psycopg.rows import dict_row

VIEWS = (
    "wallet_summary",
    "pocket_summary",
    "project_summary",
    "escrow_summary",
    "platform_summary",
    "transaction_log",
)

Row = dict[str, Any]


def rows(conn: psycopg.Connection, view: str) -> list[Row]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(f"select * from pgwallet.{view}".encode()).fetchall()


def by_id(conn: psycopg.Connection, view: str, key: str) -> dict[int, Row]:
    found = {row[key]: row for row in rows(conn, view)}
    assert len(found) == len(rows(conn, view))
    return found
