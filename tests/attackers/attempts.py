"""Trying what must be refused, and counting the tries."""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from tests.ledger.calling import call

DONE = "00000"
FORBIDDEN = "42501"

tried: list[str] = []


def outcome(conn: psycopg.Connection, statement: str, parameters: Sequence[Any] = ()) -> str:
    """The SQLSTATE that an attempt ends with; DONE if nothing stopped it.

    Without parameters a statement may be several, which the server takes as one transaction.
    """
    tried.append(statement)
    try:
        conn.execute(statement.encode(), parameters or None)
    except psycopg.Error as error:
        return error.sqlstate or repr(error)
    return DONE


def outcome_of(conn: psycopg.Connection, name: str, **arguments: Any) -> str:
    """The same for a call of one of the ledger's functions, which is undone if it fails."""
    tried.append(name)
    try:
        with conn.transaction():
            call(conn, name, **arguments)
    except psycopg.Error as error:
        return error.sqlstate or repr(error)
    return DONE


def not_refused(
    conn: psycopg.Connection, statements: Iterable[str], sqlstate: str = FORBIDDEN
) -> dict[str, str]:
    """The attempts that ended otherwise than with this code, and how."""
    outcomes = {statement: outcome(conn, statement) for statement in statements}
    return {statement: code for statement, code in outcomes.items() if code != sqlstate}
