"""What is done to a database by hand, and what `status` says of it, in one transaction."""

import psycopg

from pgwallet.deployment.code import read_code
from pgwallet.deployment.comparing import compare
from pgwallet.deployment.drift import LOOK_AGAIN, Drift

CODE = read_code()


def drift_of(conn: psycopg.Connection) -> tuple[Drift, ...]:
    return compare(conn, CODE).drift


def drift_after(conn: psycopg.Connection, statement: str) -> tuple[Drift, ...]:
    conn.execute(statement.encode())
    return drift_of(conn)


def mend(conn: psycopg.Connection, drift: tuple[Drift, ...]) -> None:
    """Does what the remedies say, which has to be SQL."""
    for each in drift:
        if each.remedy == LOOK_AGAIN:
            continue
        assert each.remedy.endswith(";"), each
        conn.execute(each.remedy.encode())
