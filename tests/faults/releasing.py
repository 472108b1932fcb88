"""Releasing a project in either way, with word of each batch once it is committed."""

from collections.abc import Callable
from decimal import Decimal

import psycopg

import pgwallet
from tests.faults.campaign import BATCH_SIZE, progress_in

# Is told how many escrows were released so far, and their sum.
Tell = Callable[[tuple[int, Decimal]], None]
Release = Callable[[psycopg.Connection, int, Tell], None]


def by_driver(conn: psycopg.Connection, project_id: int, tell: Tell) -> None:
    count, amount = 0, Decimal(0)
    for batch in pgwallet.release_project(conn, project_id, BATCH_SIZE):
        count, amount = count + batch.escrow_count, amount + batch.gross_amount
        tell((count, amount))


def by_procedure(conn: psycopg.Connection, project_id: int, tell: Tell) -> None:
    def hear(notice: psycopg.errors.Diagnostic) -> None:
        for said in progress_in(notice.message_primary or ""):
            tell(said)

    conn.add_notice_handler(hear)
    conn.execute("call pgwallet.release_project(%s, %s)", [project_id, BATCH_SIZE])
