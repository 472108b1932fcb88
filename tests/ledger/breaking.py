"""A sound ledger, and how to break what guards it, as only a superuser can."""

from itertools import product

import psycopg

import pgwallet
from tests.ledger.calling import by_hand, funded, project

GUARDED = ("transaction", "posting", "account", "wallet", "pocket", "project", "escrow")
GUARDS = (
    *product(GUARDED, ("refuse_change", "refuse_row_change")),
    ("transaction", "refuse_changed_row"),
)


def sound_ledger(conn: psycopg.Connection) -> dict[str, int]:
    """With something of everything; the ids of that."""
    wallet_id = funded(conn, "ada", 100)
    pocket_id = pgwallet.create_pocket(conn, wallet_id, "holiday", 50).pocket_id
    pgwallet.allocate_deposit(conn, wallet_id, 20)
    project_id = project(conn)
    released = pgwallet.pledge(conn, wallet_id, project_id, 30).escrow_id
    locked = pgwallet.pledge(conn, wallet_id, project_id, 20, idempotency_key="once").escrow_id
    pgwallet.release_escrow(conn, released)
    assert pgwallet.check_ledger(conn) == []
    return {
        "wallet": wallet_id,
        "pocket": pocket_id,
        "project": project_id,
        "escrow": locked,
        "released": released,
    }


def unguard(conn: psycopg.Connection) -> None:
    _turn_guards(conn, "disable")


def guard(conn: psycopg.Connection) -> None:
    _turn_guards(conn, "enable always")


def _turn_guards(conn: psycopg.Connection, how: str) -> None:
    by_hand(
        conn,
        ";".join(f"alter table pgwallet.{table} {how} trigger {name}" for table, name in GUARDS),
    )
