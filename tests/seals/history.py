"""What tests of seals do to a history that no user can."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

import psycopg

import pgwallet
from tests.catalogue.world import World, world_in

HISTORY = ("transaction", "posting", "event", "seal", "seal_balance", "seal_flow", "seal_project")


def without_waiting(conn: psycopg.Connection) -> None:
    """Lets this transaction seal what it has written itself; nobody else writes."""
    conn.execute(
        "create or replace function pgwallet._await_writers() returns void language sql "
        "set search_path = pg_catalog, pg_temp as ''"
    )


def sealed_world(conn: psycopg.Connection) -> World:
    """One of everything, and texts, amounts and times that are hard to write, in five seals."""
    without_waiting(conn)
    pgwallet.create_currency(conn, "GRAIN", 18, "Grains")
    pgwallet.seal_ledger(conn)
    world = world_in(conn)
    pgwallet.seal_ledger(conn)
    grains = pgwallet.create_wallet(conn, "ada", "GRAIN").wallet_id
    pgwallet.deposit(conn, grains, Decimal("1e-18"))
    pgwallet.deposit(conn, grains, Decimal("999999999999999"))
    pgwallet.deposit(
        conn,
        world.wallet,
        Decimal("0.10"),
        idempotency_key="- 3:ä\t\U0001f600\\n",
        metadata={"b": 1.50, "aa": [None, "ü\n"], "a": 10**30},
        effective_at=datetime(1, 1, 5, 1, 2, 3, 4, tzinfo=UTC),
    )
    pgwallet.deposit(
        conn, world.wallet, 1, effective_at=datetime(1969, 12, 31, 23, 59, 59, 500000, UTC)
    )
    pgwallet.deposit(
        conn, world.wallet, 1, metadata="", effective_at=datetime(9999, 12, 1, tzinfo=UTC)
    )
    pgwallet.freeze_account(conn, world.wallet, "a reason\nof two lines: - 7:")
    pgwallet.unfreeze_account(conn, world.wallet, "-")
    pgwallet.seal_ledger(conn)
    # Of several pages. Sequences are not put back at the end, so they only go on.
    for _ in range(3):
        for name in ("transaction", "posting", "event"):
            sequence = f"pgwallet.{name}_id_seq"
            last = "(last_value + 1) / 1000 * 1000 + 998"
            conn.execute(f"select setval('{sequence}', {last}) from {sequence}".encode())
        pgwallet.deposit_many(conn, [world.wallet] * 3, [1] * 3)
        pgwallet.freeze_account(conn, world.wallet, "for a while")
        pgwallet.unfreeze_account(conn, world.wallet, "over")
    pgwallet.seal_ledger(conn)
    pgwallet.close_project(conn, world.open, "failed")
    pgwallet.seal_ledger(conn)
    assert len(pgwallet.list_seals(conn)) == 5
    return world


def tampering(*statements: str) -> list[str]:
    """The statements of a superuser who leaves no trace."""
    return [
        *(f"alter table pgwallet.{table} disable trigger user" for table in HISTORY),
        *statements,
        # As they were: always, also in a subscriber of logical replication.
        *(
            f"alter table pgwallet.{table} enable always trigger {trigger}"
            for table in HISTORY
            for trigger in ("refuse_change", "refuse_row_change")
        ),
        "alter table pgwallet.transaction enable always trigger refuse_changed_row",
    ]


@contextmanager
def tampered(conn: psycopg.Connection, *statements: str) -> Iterator[None]:
    """Meanwhile the history is another one, for this transaction alone."""
    with conn.transaction(force_rollback=True):
        for statement in tampering(*statements):
            count = conn.execute(statement.encode()).rowcount
            assert count > 0 or statement not in statements, statement
        yield
