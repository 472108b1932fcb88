"""What tests of seals do to a history that no user can."""

import psycopg


def without_waiting(conn: psycopg.Connection) -> None:
    """Lets this transaction seal what it has written itself; nobody else writes."""
    conn.execute(
        "create or replace function pgwallet._await_writers() returns void language sql "
        "set search_path = pg_catalog, pg_temp as ''"
    )
